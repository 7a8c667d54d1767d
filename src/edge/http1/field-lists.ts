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

/** What Connection lists but `close`, in lower case and each once, however often it is there. */
export function optionsOf(connection: string): Set<string> {
  const options = new Set<string>();
  for (const part of connection.split(',')) options.add(trimOws(part).toLowerCase());
  options.delete('');
  options.delete('close');
  return options;
}

/** Most protocols of a 101. */
const MAX_PROTOCOLS = 8;

/** Whether all protocols of a 101 are among those that the request offered (RFC 9110 §7.8). */
export function isOffered(chosen: string | undefined, offered: string | undefined): boolean {
  if (chosen === undefined || offered === undefined) return false;
  const names = new Set(chosen.split(',').map((part) => trimOws(part).toLowerCase()));
  // A server chooses one, or a few that build on each other.
  return names.size <= MAX_PROTOCOLS && [...names].every((name) => hasToken(offered, name));
}
