/** Entries of a list that only the one before has, and those that only the one now has, as they are written. */
export interface ListDiff {
  gone: string[];
  came: string[];
}

/** Where an entry is written. */
interface Place {
  start: number;
  end: number;
}

/** How many entries of each list are looked at to find where they are alike again; then all that is left is. */
const WINDOWS = [4, 64, Number.POSITIVE_INFINITY];
/** What is compared at first, bytes; twice as much each time it is alike. */
const FIRST_STEP = 256;
const LARGEST_STEP = 2 ** 20;

/**
 * Compares two lists as they are written, which mostly are alike and in the same order, at the cost of comparing bytes:
 * ten thousand entries are 4 MB of text, and decoding them would take a hundred times as long.
 * @param border what lies between any two entries and nowhere else; its first byte is the end of one, its second divides
 * them, the rest begins the other
 */
export function diffLists(before: Buffer, now: Buffer, border: Buffer): ListDiff {
  const diff: ListDiff = { gone: [], came: [] };
  let [a, b] = [0, 0];
  while (a < before.length || b < now.length) {
    const alike = commonLength(before, a, now, b);
    if (a + alike === before.length && b + alike === now.length) break;
    // Back to the beginning of the entries that differ.
    const back = alike < border.length ? -1 : before.lastIndexOf(border, a + alike - border.length);
    const skipped = back < a ? 0 : back + 2 - a;
    [a, b] = next(before, a + skipped, now, b + skipped, border, diff);
  }
  return diff;
}

/** Goes over what differs; returns what is behind the first entries that are alike again. */
function next(before: Buffer, a: number, now: Buffer, b: number, border: Buffer, diff: ListDiff): [number, number] {
  for (const most of WINDOWS) {
    const ofBefore = placesFrom(before, a, border, most);
    const ofNow = placesFrom(now, b, border, most);
    const textsBefore = ofBefore.map(({ start, end }) => before.toString('utf8', start, end));
    const textsNow = ofNow.map(({ start, end }) => now.toString('utf8', start, end));
    if (most === Number.POSITIVE_INFINITY) {
      const [all, allNow] = [new Set(textsBefore), new Set(textsNow)];
      for (const text of all) if (!allNow.has(text)) diff.gone.push(text);
      for (const text of allNow) if (!all.has(text)) diff.came.push(text);
      break;
    }
    const [x, y] = meeting(textsBefore, textsNow) ?? [-1, -1];
    if (x < 0) continue;
    diff.gone.push(...textsBefore.slice(0, x));
    diff.came.push(...textsNow.slice(0, y));
    return [behind(before, ofBefore[x] as Place), behind(now, ofNow[y] as Place)];
  }
  return [before.length, now.length];
}

/** Where the next entry begins. */
function behind(list: Buffer, { end }: Place): number {
  return Math.min(list.length, end + 1);
}

/** The places of the first pair that is alike, with as few before it as possible. */
function meeting(before: readonly string[], now: readonly string[]): [number, number] | undefined {
  const places = new Map(before.map((text, place) => [text, place]));
  let best: [number, number] | undefined;
  for (const [y, text] of now.entries()) {
    const x = places.get(text);
    if (x !== undefined && (best === undefined || x + y < best[0] + best[1])) best = [x, y];
  }
  return best;
}

function placesFrom(list: Buffer, from: number, border: Buffer, most: number): Place[] {
  const places: Place[] = [];
  for (let start = from; start < list.length && places.length < most; ) {
    const at = list.indexOf(border, start);
    const end = at < 0 ? list.length : at + 1;
    places.push({ start, end });
    start = end + 1;
  }
  return places;
}

/** How many bytes from here on are the same in both. */
function commonLength(before: Buffer, a: number, now: Buffer, b: number): number {
  const most = Math.min(before.length - a, now.length - b);
  const isAlike = (from: number, to: number) => before.compare(now, b + from, b + to, a + from, a + to) === 0;
  let alike = 0;
  let step = FIRST_STEP;
  while (alike < most) {
    const to = Math.min(most, alike + step);
    if (isAlike(alike, to)) {
      alike = to;
      step = Math.min(LARGEST_STEP, step * 2);
    } else if (to - alike === 1) break;
    else step = Math.max(1, (to - alike) >> 1);
  }
  return alike;
}
