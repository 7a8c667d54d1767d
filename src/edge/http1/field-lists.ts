import { trimOws } from '../io/http-syntax.ts';

/** Whether a comma-separated list holds the token (lower case). */
export function hasToken(list: string, token: string): boolean {
  if (list.length === token.length) return list.toLowerCase() === token;
  for (const part of list.split(',')) {
    const end = part.indexOf(';');
    if (trimOws(end < 0 ? part : part.slice(0, end)).toLowerCase() === token) return true;
  }
  return false;
}

/** Returns what Connection lists except `close`, in lower case and each once. */
export function optionsOf(connection: string): Set<string> {
  const options = new Set<string>();
  for (const part of connection.split(',')) options.add(trimOws(part).toLowerCase());
  options.delete('');
  options.delete('close');
  return options;
}

/** A 101 may name at most so many protocols. */
const MAX_PROTOCOLS = 8;

/** Whether the request offered all protocols that a 101 names (RFC 9110 §7.8). */
export function isOffered(chosen: string | undefined, offered: string | undefined): boolean {
  if (chosen === undefined || offered === undefined) return false;
  const names = new Set(chosen.split(',').map((part) => trimOws(part).toLowerCase()));
  // A server chooses one protocol, or a few that build on each other.
  return names.size <= MAX_PROTOCOLS && [...names].every((name) => hasToken(offered, name));
}
