/**
 * The whole numbers, from 1, that a load test is called with, in order; says how it is called and exits with 2 where
 * something else is given.
 * @param defaults for those that are left out; there are no more than these
 */
export function countsFrom<Counts extends number[]>(usage: string, ...defaults: Counts): Counts {
  return countsIn(process.argv.slice(2), usage, ...defaults);
}

/** As {@link countsFrom}, of the words that are left beside options. */
export function countsIn<Counts extends number[]>(
  given: readonly string[],
  usage: string,
  ...defaults: Counts
): Counts {
  if (given.length > defaults.length || !given.every((text) => /^[1-9]\d{0,8}$/.test(text))) refuse(usage);
  return defaults.map((count, index) => Number(given[index] ?? count)) as Counts;
}

/** What `read` makes of the command line; where it throws, says why and how it is called, and exits with 2. */
export function readOrRefuse<Options>(usage: string, read: () => Options): Options {
  try {
    return read();
  } catch (error) {
    return refuse(`${(error as Error).message.split('. ')[0]}\n${usage}`);
  }
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}
