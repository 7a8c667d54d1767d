import { countsOf, sparseCounts } from './idle-learnt.ts';
import type { LearntForm } from './learnt-store.ts';
import { SIBLING_GROUPS, SiblingGaps } from './sibling-gaps.ts';

/** All services are kept under one name. */
export const ALL_SERVICES = 'all';
/** What another version wrote is not read. */
const VERSION = 1;

/** As text that `decodeSiblings` reads: for each group that there is, its number and its counts. */
export function encodeSiblings({ groups }: SiblingGaps): string {
  const known = groups.flatMap((counts, group) => (counts === undefined ? [] : [[group, sparseCounts(counts)]]));
  return `${JSON.stringify({ version: VERSION, groups: known })}\n`;
}

/** What such a text says. @returns why it is of no use, in words, where it is not whole or of another version */
export function decodeSiblings(text: string): SiblingGaps | string {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return 'it is no JSON';
  }
  const { version, groups: written } = (file ?? {}) as Record<string, unknown>;
  if (version !== VERSION) return `it is of version ${JSON.stringify(version)}, not ${VERSION}`;
  const wrong = '"groups" is not as it was written';
  if (!Array.isArray(written) || written.length > SIBLING_GROUPS) return wrong;
  const groups: (Float32Array | undefined)[] = [];
  for (const entry of written) {
    const [group, counts] = Array.isArray(entry) ? entry : [];
    const read = countsOf(counts);
    if (!Number.isInteger(group) || group < 0 || group >= SIBLING_GROUPS || read === undefined) return wrong;
    groups[group] = read;
  }
  return new SiblingGaps(groups);
}

/** How it is kept over restarts. */
export const siblingForm: LearntForm<SiblingGaps> = {
  whose: 'the idle policy',
  encode: encodeSiblings,
  decode: decodeSiblings,
};
