/** Variables of the environment by name. */
export type Env = Record<string, string | undefined>;

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
export function substitute(text: string, env: Env): Substituted {
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

/** What means something to YAML within a flow mapping or list, and the private-use characters that stand in for it. */
const MARKS = '{}[],:#';
const STAND_INS = String.fromCodePoint(...Array.from(MARKS, (_, index) => 0xe000 + index));
const STAND_IN = new RegExp(`[${STAND_INS}]`);

/**
 * Makes every reference a plain word to a YAML parser, so that `{ max: ${MAX:-5} }` needs no quotes. The length stays
 * the same, and with it all positions. A text that already has one of the stand-ins is left alone.
 */
export function maskReferences(text: string): string {
  if (STAND_IN.test(text)) return text;
  return text.replace(/\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}\n]*)?\}/g, (reference) => swap(reference, MARKS, STAND_INS));
}

/** Undoes `maskReferences`. */
export function unmaskReferences(text: string): string {
  return STAND_IN.test(text) ? swap(text, STAND_INS, MARKS) : text;
}

function swap(text: string, from: string, to: string): string {
  return Array.from(text, (char) => (from.includes(char) ? to.charAt(from.indexOf(char)) : char)).join('');
}
