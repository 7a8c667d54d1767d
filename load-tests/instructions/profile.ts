/** Instructions by function. */
export type Profile = ReadonlyMap<string, number>;

/** Code that V8 has made of a function. */
interface Made {
  from: number;
  size: number;
  name: string;
}

/**
 * Reads what `callgrind_annotate --threshold=100` prints. Of what V8 has made at run time valgrind knows the address only.
 * @param map the file that `--perf-basic-prof` writes: address, size (both hexadecimal) and name of each
 */
export function profileOf(annotated: string, map: string): Profile {
  const made = madeIn(map);
  const profile = new Map<string, number>();
  for (const line of annotated.split('\n')) {
    const [, count, , where = ''] = /^\s*([\d,]+)\s*\(\s*([\d.]+)%\)\s+\S+?:(.*)$/.exec(line) ?? [];
    if (count === undefined) continue;
    const address = /^0x([0-9a-f]+)/.exec(where)?.[1];
    const name = address === undefined ? where.replace(/ \[[^\]]*\]$/, '') : nameAt(made, Number.parseInt(address, 16));
    profile.set(name, (profile.get(name) ?? 0) + Number(count.replaceAll(',', '')));
  }
  return profile;
}

function madeIn(map: string): Made[] {
  const made = new Map<number, Made>();
  for (const line of map.split('\n')) {
    const [, from = '', size = '', name = ''] = /^([0-9a-f]+) ([0-9a-f]+) (.*)$/.exec(line) ?? [];
    // What was made later at an address took the place of what was there.
    if (name !== '')
      made.set(Number.parseInt(from, 16), { from: Number.parseInt(from, 16), size: Number.parseInt(size, 16), name });
  }
  return [...made.values()].sort((a, b) => a.from - b.from);
}

/** The place of a function differs from state to state, and its file is enough to find it. */
function nameAt(made: readonly Made[], address: number): string {
  const at = made.findLast(({ from, size }) => from <= address && address < from + size);
  if (at === undefined) return 'code of V8 without a name';
  return at.name
    .replace(/^JS:\W*/, '')
    .replace(/file:\/\/\S*?\/((?:src|node_modules)\/)/, '$1')
    .replace(/:\d+:\d+$/, '');
}

/** All of them together. */
export function totalOf(profile: Profile): number {
  return [...profile.values()].reduce((sum, count) => sum + count, 0);
}
