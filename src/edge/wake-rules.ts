import type { WakeRule } from '../model/settings.ts';

/** A wake rule with its glob compiled. */
export interface CompiledWakeRule {
  path: string | undefined;
  userAgent: RegExp | undefined;
  then: WakeRule['then'];
  status: number;
}

/** Compiles rules once, at the table's arrival. */
export function compileWakeRules(rules: readonly WakeRule[]): CompiledWakeRule[] {
  return rules.map((rule) => ({
    path: rule.path,
    userAgent: rule.userAgent === undefined ? undefined : globToRegExp(rule.userAgent),
    then: rule.then,
    status: rule.status,
  }));
}

/** The first rule that matches a request for a sleeping service; undefined: it wakes. */
export function matchWakeRule(
  rules: readonly CompiledWakeRule[],
  path: string,
  userAgent: string,
): CompiledWakeRule | undefined {
  for (const rule of rules) {
    if (rule.path !== undefined && !isPrefix(rule.path, path)) continue;
    if (rule.userAgent !== undefined && !rule.userAgent.test(userAgent)) continue;
    return rule;
  }
  return undefined;
}

function isPrefix(prefix: string, path: string): boolean {
  if (prefix === '/') return true;
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 47);
}

/** `*` matches anything; each run of it becomes one lazy step, so that no pattern backtracks exponentially. */
function globToRegExp(glob: string): RegExp {
  const parts = glob.split(/\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*?')}$`, 'is');
}
