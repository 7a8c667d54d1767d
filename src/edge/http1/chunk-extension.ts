import { isOws, TCHAR } from '../io/http-syntax.ts';

/**
 * Where the reading of chunk extensions stands (RFC 9112 §7.1.1):
 * `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`, up to the CR behind them.
 */
export const Extension = {
  /** White space came where the next extension may begin: a `;` has to come. */
  BEFORE: 1,
  /** Behind `;`. */
  BEGUN: 2,
  NAME: 3,
  /** White space behind a name. */
  NAMED: 4,
  /** Behind `=`. */
  EQUALS: 5,
  TOKEN: 6,
  QUOTED: 7,
  /** Behind a backslash in quotes. */
  ESCAPED: 8,
  /** Behind the closing quote. */
  UNQUOTED: 9,
  /** The CR behind all of them came. */
  END: 10,
  BROKEN: 0,
} as const;
export type ExtensionState = (typeof Extension)[keyof typeof Extension];

const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;
const CR = 13;

/** Returns the state after the byte that ends the size, or after the next byte within extensions. */
export function readExtension(state: ExtensionState, code: number): ExtensionState {
  const isBlank = isOws(code);
  switch (state) {
    case Extension.BEFORE:
      if (isBlank) return Extension.BEFORE;
      return code === SEMICOLON ? Extension.BEGUN : Extension.BROKEN;
    case Extension.BEGUN:
      if (isBlank) return Extension.BEGUN;
      return TCHAR[code] === 1 ? Extension.NAME : Extension.BROKEN;
    case Extension.NAME:
      if (TCHAR[code] === 1) return Extension.NAME;
      if (code === EQUALS) return Extension.EQUALS;
      return isBlank ? Extension.NAMED : afterExtension(code);
    case Extension.NAMED:
      if (isBlank) return Extension.NAMED;
      if (code === EQUALS) return Extension.EQUALS;
      return code === SEMICOLON ? Extension.BEGUN : Extension.BROKEN;
    case Extension.EQUALS:
      if (isBlank) return Extension.EQUALS;
      if (code === QUOTE) return Extension.QUOTED;
      return TCHAR[code] === 1 ? Extension.TOKEN : Extension.BROKEN;
    case Extension.TOKEN:
      return TCHAR[code] === 1 ? Extension.TOKEN : afterExtension(code);
    case Extension.QUOTED:
      if (code === QUOTE) return Extension.UNQUOTED;
      if (code === BACKSLASH) return Extension.ESCAPED;
      return isText(code) ? Extension.QUOTED : Extension.BROKEN;
    case Extension.ESCAPED:
      return isText(code) ? Extension.QUOTED : Extension.BROKEN;
    default:
      return afterExtension(code);
  }
}

/** Returns the state after the first byte behind a size, or behind a whole extension. */
export function afterExtension(code: number): ExtensionState {
  if (code === CR) return Extension.END;
  if (code === SEMICOLON) return Extension.BEGUN;
  return isOws(code) ? Extension.BEFORE : Extension.BROKEN;
}

/** HTAB, SP, VCHAR and obs-text (RFC 9110 §5.6.4). */
function isText(code: number): boolean {
  return code === 9 || (code >= 32 && code !== 127);
}
