import { readFile } from 'node:fs/promises';

/**
 * Two /24 networks that no route of this machine leads to, as the beginnings of their addresses: one for the bridge,
 * one for the networks that tests create.
 */
export async function freeNetworks(): Promise<[string, string]> {
  const lines = (await readFile('/proc/net/route', 'utf8')).trim().split('\n').slice(1);
  const routes = lines.map((line) => line.split('\t')).map((fields) => [hexAddress(fields[1]), hexAddress(fields[7])]);
  const taken = routes.filter(([network]) => network !== 0);
  for (let attempt = 0; attempt < 100; attempt++) {
    const [second, third] = [64 + Math.floor(Math.random() * 190), 2 * Math.floor(Math.random() * 127)];
    const pair = (10 << 24) | (second << 16) | (third << 8);
    const overlaps = taken.some(([network = 0, mask = 0]) => ((network ^ pair) & mask & 0xfffffe00) === 0);
    if (!overlaps) return [`10.${second}.${third}.`, `10.${second}.${third + 1}.`];
  }
  throw new Error('every private network that was tried is in use on this machine');
}

/** /proc/net/route writes an address as a hexadecimal number in the machine's own, little-endian order. */
function hexAddress(text = ''): number {
  return Buffer.from(text, 'hex').reverse().readInt32BE();
}

/**
 * A bridge that is given none has the lowest address of its ports. When the container of that port ends it changes, and
 * the others write to one that nobody has any more, for half a minute.
 */
export function hardwareAddress(net: string): string {
  const bytes = `${net}1`.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '42', ...bytes].join(':');
}
