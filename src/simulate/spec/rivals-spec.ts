import type { Rival } from '../policy.ts';
import { fixed } from '../rivals/fixed.ts';
import { hpa } from '../rivals/hpa.ts';
import { kpa } from '../rivals/kpa.ts';
import { RIVAL_FORMS } from './forms.ts';
import { cut, expected, readCount } from './words.ts';

/**
 * Reads whom to compare with: names with commas between them.
 * @param slots what a replica takes at once, for those who are told it
 * @throws USAGE
 */
export function readRivals(text: string, slots: number): Rival[] {
  return text.split(',').map((word) => {
    const [name, value] = cut(word, ':');
    if (word === 'kpa') return kpa(slots);
    if (word === 'hpa') return hpa();
    if (name === 'fixed' && value !== undefined) return fixed(readCount(value, 'a number of replicas'));
    return expected(`a policy (${RIVAL_FORMS.join(', ')})`, word);
  });
}
