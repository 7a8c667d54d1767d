import type { WakeRule } from '../../model/settings.ts';
import { comparable, hasOneReading, pathKey, readingsOf } from '../../util/path-readings.ts';
import type { RequestHead } from '../http1/request.ts';
import { Glob } from '../io/glob.ts';

/** A wake rule with its glob compiled. */
export interface CompiledWakeRule {
  path: string | undefined;
  userAgent: Glob | undefined;
  then: WakeRule['then'];
  status: number;
}

/** Compiles the rules, once per table. */
export function compileWakeRules(rules: readonly WakeRule[]): CompiledWakeRule[] {
  return rules.map((rule) => ({
    path: rule.path === undefined ? undefined : pathKey(rule.path),
    userAgent: rule.userAgent === undefined ? undefined : new Glob(rule.userAgent),
    then: rule.then,
    status: rule.status,
  }));
}

/** Returns the rule that decides on a request; undefined: it wakes the service. */
export function wakeRuleOf(
  rules: readonly CompiledWakeRule[],
  { target, pathEnd, head }: RequestHead,
): CompiledWakeRule | undefined {
  return matchWakeRule(rules, target.slice(0, pathEnd), head.get('user-agent') ?? '');
}

/**
 * Returns the first rule that matches a path and a user agent; undefined: it wakes. A path with several readings wakes
 * only if each reading does.
 */
export function matchWakeRule(
  rules: readonly CompiledWakeRule[],
  path: string,
  userAgent: string,
): CompiledWakeRule | undefined {
  const agent = userAgent.toLowerCase();
  if (hasOneReading(path)) return firstOf(rules, path, agent);
  const matching = rules.filter((rule) => rule.userAgent === undefined || rule.userAgent.matches(agent));
  const { paths } = readingsOf(path);
  // Such a path is no reason to start a service, whatever it means.
  if (paths === undefined) return matching.find(isSilent);
  const outcomes = paths.map((reading) => firstOf(matching, comparable(reading), undefined));
  return outcomes.find((rule) => rule !== undefined && isSilent(rule)) ?? outcomes[0];
}

function isSilent({ then }: CompiledWakeRule): boolean {
  return then !== 'wake';
}

/** @param userAgent in lower case; undefined where it is known to match */
function firstOf(
  rules: readonly CompiledWakeRule[],
  path: string,
  userAgent: string | undefined,
): CompiledWakeRule | undefined {
  for (const rule of rules) {
    if (rule.path !== undefined && !isPrefix(rule.path, path)) continue;
    if (rule.userAgent !== undefined && userAgent !== undefined && !rule.userAgent.matches(userAgent)) continue;
    return rule;
  }
  return undefined;
}

function isPrefix(prefix: string, path: string): boolean {
  if (prefix === '/') return true;
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 47);
}
