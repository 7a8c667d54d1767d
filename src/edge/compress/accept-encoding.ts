import type { ContentCoding } from '../../model/compress-settings.ts';
import { isLongList, trimOws } from '../io/http-syntax.ts';

/** Nobody lists more codings than that; a longer list is taken for none. */
const MOST = 64;
/** weight (RFC 9110 §12.4.2) */
const WEIGHT = /^;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

/**
 * Returns the coding that a client likes best of those that are offered (RFC 9110 §12.5.3); of several it is the first
 * offered. Undefined: it likes content as it is better, or takes none of them. A client that says nothing gets content
 * as it is, though it may take any coding: that is what old ones count on.
 * @param accepted value of Accept-Encoding, several fields joined
 */
export function preferredCoding(
  accepted: string | undefined,
  offered: readonly ContentCoding[],
): ContentCoding | undefined {
  if (accepted === undefined || isLongList(accepted, MOST)) return undefined;
  const weights = weightsIn(accepted);
  const others = weights.get('*') ?? 0;
  // Content as it is may be sent whenever it is not excluded, but a coding that is named is wanted.
  let best = weights.get('identity') ?? 0;
  let found: ContentCoding | undefined;
  for (const coding of offered) {
    const weight = weights.get(coding) ?? others;
    if (weight > best || (weight === best && weight > 0 && found === undefined)) {
      best = weight;
      found = coding;
    }
  }
  return found;
}

/** Weights by coding, in lower case; a member that makes no sense is passed over. */
function weightsIn(list: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const member of list.split(',')) {
    const semicolon = member.indexOf(';');
    const name = trimOws(semicolon < 0 ? member : member.slice(0, semicolon)).toLowerCase();
    const weight = semicolon < 0 ? 1 : weightOf(trimOws(member.slice(semicolon)));
    if (name === '' || weight === undefined) continue;
    // An old name, which means the same (RFC 9110 §8.4.1.3).
    weights.set(name === 'x-gzip' ? 'gzip' : name, weight);
  }
  return weights;
}

function weightOf(parameter: string): number | undefined {
  const digits = WEIGHT.exec(parameter)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
