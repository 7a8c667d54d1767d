/** Fine enough that what is over a limit does not read the same as the limit. */
export function millis(ms: number): string {
  return `${ms < 100 ? Number(ms.toPrecision(3)) : Math.round(ms)} ms`;
}

/** A share, as in `80 %`. */
export function percent(share: number): number {
  return Number((share * 100).toFixed(1));
}

/** Without its unit: per second. */
export function rate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 10 ? 1 : 0);
}

/** As in `1 replica`, `3 replicas`. @param noun one whose plural ends in a mere s */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** In the largest unit of which there is one: `1.5 GiB`. */
export function bytesText(bytes: number): string {
  const units: [string, number][] = [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ];
  const [name, size] = units.find(([, size]) => bytes >= size) ?? ['B', 1];
  return `${fewDigits(bytes / size)} ${name}`;
}

/** Three digits, and none of them an exponent. */
export function fewDigits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return String(Number(value.toPrecision(3)));
}
