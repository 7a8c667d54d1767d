/** A text with its variables filled in. `faults` is empty unless something could not be. */
export interface Substituted {
  text: string;
  /** Whether a variable was used: such a text may hold a secret. */
  variables: boolean;
  faults: string[];
}

const FORM = /\$\$|\$\{([^}]*)(\}?)/g;
const REFERENCE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;

/**
 * Replaces `${NAME}` and `${NAME:-default}` (the default also where NAME is empty) and turns `$$` into `$`. Any other
 * `$` stays. What is filled in is not looked at again.
 */
export function substitute(text: string, env: Record<string, string | undefined>): Substituted {
  const faults: string[] = [];
  let variables = false;
  const filled = text.replace(FORM, (form: string, content: string | undefined, end: string | undefined) => {
    if (form === '$$') return '$';
    const reference = end === '' ? null : REFERENCE.exec(content ?? '');
    if (reference === null) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text tells how a substitution is written
      faults.push('not a substitution: write ${NAME}, ${NAME:-default}, or $$ for a dollar sign');
      return form;
    }
    variables = true;
    const name = reference[1] as string;
    const fallback = reference[2];
    const value = env[name];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) faults.push(`the variable ${name} is not set and has no default (\${${name}:-default})`);
    return value ?? '';
  });
  return { text: filled, variables, faults };
}
