import { parseArgs } from 'node:util';
import { type Checkout, checkoutOf } from './checkout.ts';

/** What to measure, and for how long. */
export interface BenchOptions {
  /** Names of workloads; empty: all. */
  only: string[];
  /** Names of proxies; empty: all. */
  proxies: string[];
  /** How often each proxy is measured per workload. */
  rounds: number;
  /** Length of a round. */
  seconds: number;
  /** Another state of Pilotlight, measured in turns with this one; undefined: none. */
  against: Checkout | undefined;
}

/**
 * Reads `--only a,b --proxies a,b --rounds N --seconds N --against REF`.
 * @throws on names that are not known, on other flags, and on a folder that is no checkout
 */
export function readOptions(args: string[], known: { workloads: string[]; proxies: string[] }): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: '' },
      proxies: { type: 'string', default: '' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      against: { type: 'string' },
    },
  });
  return {
    only: namesIn('--only', values.only, known.workloads),
    proxies: namesIn('--proxies', values.proxies, known.proxies),
    rounds: countIn('--rounds', values.rounds),
    seconds: countIn('--seconds', values.seconds),
    against: values.against === undefined ? undefined : checkoutOf(values.against),
  };
}

function namesIn(flag: string, list: string, known: string[]): string[] {
  const names = list.split(',').filter((name) => name !== '');
  for (const name of names) {
    if (!known.includes(name)) throw new Error(`${flag}: ${name} is none of ${known.join(', ')}`);
  }
  return names;
}

function countIn(flag: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`${flag}: ${text} is no whole number from 1`);
  return count;
}
