import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Logger } from '../../model/observe.ts';
import { backoffDelay } from '../../util/backoff.ts';
import type { Clock } from '../../util/clock.ts';
import { isSocketPath } from '../../util/host-port.ts';

/** Finds the addresses of a host name; rejects where it has none or they cannot be found out. */
export type Lookup = (host: string) => Promise<string[]>;

/** Look-ups at once: the system's block a thread each, of which there are four for everything. */
const AT_ONCE = 2;
/** After a failure it is tried again soon, and then less and less often, down to the usual interval. */
const RETRY = { base: 1000, jitter: 0.2 };
/** Part of the interval by which a look-up may come early, so that many names do not stay in step. */
const JITTER = 0.1;

/** What name servers say of names that they block: it would lead back to this machine, to us or to the admin API. */
const NO_HOST = new Set(['0.0.0.0', '::']);

interface HostNamesOptions {
  clock: Clock;
  logger: Logger;
  lookup?: Lookup | undefined;
  /** In [0, 1), for jitter. */
  random?: (() => number) | undefined;
  /** The addresses of a name are known, or others than before, or could not be found out the first time. */
  onNews: (host: string) => void;
}

interface Name {
  intervalMs: number;
  /** The last good ones, sorted. */
  addresses: string[];
  /** When they were found, the clock's ms. */
  foundAt: number | undefined;
  /** In a row. */
  failures: number;
  abort: AbortController;
  /** Ends the pause before the next look-up. */
  hurry: () => void;
}

/** Looks host names up again and again. What was found last stays while a look-up fails. */
export class HostNames {
  readonly #options: HostNamesOptions;
  readonly #lookup: Lookup;
  readonly #random: () => number;
  readonly #names = new Map<string, Name>();
  readonly #waiting: (() => void)[] = [];
  #free = AT_ONCE;

  constructor(options: HostNamesOptions) {
    this.#options = options;
    this.#lookup = options.lookup ?? addressesOf;
    this.#random = options.random ?? Math.random;
  }

  /** Looks exactly these up from now on, each as often as it says (ms). */
  follow(names: ReadonlyMap<string, number>): void {
    for (const [host, name] of this.#names) {
      if (names.has(host)) continue;
      name.abort.abort();
      this.#names.delete(host);
    }
    for (const [host, intervalMs] of names) {
      const known = this.#names.get(host);
      if (known !== undefined) {
        const isShorter = intervalMs < known.intervalMs;
        known.intervalMs = intervalMs;
        if (isShorter) known.hurry();
        continue;
      }
      const abort = new AbortController();
      const name: Name = { intervalMs, addresses: [], foundAt: undefined, failures: 0, abort, hurry: () => {} };
      this.#names.set(host, name);
      this.#watch(host, name).catch(() => {
        // Only an abort ends it.
      });
    }
  }

  close(): void {
    this.follow(new Map());
  }

  /** What is known of a name; undefined before the first look-up came to an end. */
  addresses(host: string): readonly string[] | undefined {
    const name = this.#names.get(host);
    return name === undefined || (name.foundAt === undefined && name.failures === 0) ? undefined : name.addresses;
  }

  /** How old what is known is, ms: 0 while look-ups succeed; undefined when nothing was found yet. */
  staleness(host: string): number | undefined {
    const name = this.#names.get(host);
    if (name?.foundAt === undefined) return undefined;
    return name.failures === 0 ? 0 : this.#options.clock.now() - name.foundAt;
  }

  async #watch(host: string, name: Name): Promise<void> {
    const { signal } = name.abort;
    for (;;) {
      await this.#turn();
      try {
        await this.#look(host, name);
      } finally {
        this.#leave();
      }
      const { failures, intervalMs } = name;
      const delay =
        failures === 0
          ? intervalMs * (1 - JITTER * this.#random())
          : backoffDelay(failures, { ...RETRY, cap: intervalMs }, this.#random);
      await this.#pause(name, delay);
      if (signal.aborted) return;
    }
  }

  #pause(name: Name, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        name.abort.signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#options.clock.after(ms, end);
      name.hurry = end;
      name.abort.signal.addEventListener('abort', end, { once: true });
    });
  }

  async #look(host: string, name: Name): Promise<void> {
    const { clock, logger, onNews } = this.#options;
    const { signal } = name.abort;
    if (signal.aborted) return;
    try {
      const found = [...new Set(await this.#lookup(host))].filter((address) => !NO_HOST.has(address)).sort();
      if (found.length === 0) throw new Error('no address');
      if (signal.aborted) return;
      const changed = name.foundAt === undefined || found.join() !== name.addresses.join();
      if (name.failures > 0) logger.info({ host }, `the addresses of ${host} are found again`);
      name.failures = 0;
      name.foundAt = clock.now();
      name.addresses = found;
      if (changed) onNews(host);
    } catch (cause) {
      if (signal.aborted) return;
      name.failures++;
      if (name.failures > 1) return;
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no address';
      logger.warn({ host, code }, `the addresses of ${host} cannot be found (${code}); the last ones stay`);
      if (name.foundAt === undefined) onNews(host);
    }
  }

  async #turn(): Promise<void> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

/** Whether a host is to be looked up: no address, and not this machine, which is dialled by name in either family. */
export function isLookedUp(host: string): boolean {
  return isIP(host) === 0 && !isSocketPath(host) && !/(?:^|\.)localhost$/.test(host);
}

/** IPv4 where there is any: the same server behind two families would count twice. */
async function addressesOf(host: string): Promise<string[]> {
  const found = await systemLookup(host, { all: true });
  const four = found.filter(({ family }) => family === 4);
  return (four.length > 0 ? four : found).map(({ address }) => address);
}
