import type { ErrorCode } from 'yaml';

/** What may follow a mark that begins a value: up to a space or the end of what it stands in. */
const WORD = /^[&*!][^\s,[\]{}]*/;

/** Characters that mean something to YAML at the start of a value, and what. */
const MARKS: Record<string, string> = { '&': 'an anchor', '*': 'an alias', '!': 'a tag' };

/** The word that begins with a mark at an offset: `&x.example.com`. */
export function markedWord(text: string, offset: number): string {
  return WORD.exec(text.slice(offset, offset + 200))?.[0] ?? text.charAt(offset);
}

/** Where the anchor or tag of a value begins, which stands before the offset of the value itself. */
export function markBefore(text: string, mark: string, offset: number): number {
  const at = Math.max(0, text.lastIndexOf(mark, offset));
  // A tag may begin with two.
  return text.charAt(at - 1) === mark ? at - 1 : at;
}

/** A mark without what YAML wants of it; the report adds the word in quotes where it is no secret. */
export function markMessage(mark: string, but = ''): string {
  return `"${mark}" begins ${MARKS[mark]} in YAML${but}; put the value in quotes`;
}

/**
 * The parser's message in our words, without the piece of the file that some end with: it could be a secret.
 * @param offset where the error is in the text
 */
export function syntaxMessage(code: ErrorCode, said: string, text: string, offset: number): string {
  const at = text.charAt(offset);
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'a configuration is one YAML document: "---" may not divide it';
    case 'BAD_SCALAR_START':
      return `YAML: a value may not begin with ${at}; put it in quotes: "${at}…"`;
    case 'BAD_ALIAS':
      return said.startsWith('Anchor') ? `YAML: ${markMessage('&')}: "&…"` : `YAML: ${markMessage('*')}: "*"`;
    case 'TAG_RESOLVE_FAILED':
      return `YAML: ${markMessage('!')}: "!…"`;
    case 'NON_STRING_KEY':
      if (at === '*') return `YAML: ${markMessage('*')}: "*…"`;
      return text.slice(Math.max(0, offset - 1), offset + 1) === '{{'
        ? 'YAML: "{{" begins two mappings; put the value in quotes: "{{…}}"'
        : 'YAML: a key is a word, not a mapping or list; a value with braces or brackets goes in quotes';
    case 'TAB_AS_INDENT':
      return 'YAML: tabs are not allowed as indentation; use spaces';
    case 'BAD_INDENT':
      if (said.startsWith('Flow'))
        return `YAML: a bracket or brace before here is not closed: expected ${said.trimEnd().slice(-1)}`;
      return `${inOurCase(said)}; use the same number of spaces for all keys of a section`;
    case 'MISSING_CHAR':
      return missing(said);
    default:
      return inOurCase(said);
  }
}

function missing(said: string): string {
  if (said.startsWith('Implicit map keys'))
    return 'YAML: expected "key: value"; is a colon or the space behind it missing?';
  if (said.startsWith('Missing closing')) return `YAML: a ${said.includes('"') ? '"' : "'"} before here is not closed`;
  if (said.startsWith('Missing ,'))
    return `${inOurCase(said)}; a value with brackets, braces, commas or ": " in it goes in quotes`;
  return inOurCase(said);
}

function inOurCase(said: string): string {
  const message = (said.split('\n', 1)[0] ?? '').replace(/: .*$/, '');
  return `YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}
