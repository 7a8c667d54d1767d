import { setImmediate as turn } from 'node:timers/promises';
import { Disconnected, epochNow, pause, RawConnection } from './raw-client.ts';

interface LoadOptions {
  port: number;
  host: string;
  /** What is asked for: always the same, or by when it is asked, ms since the load began. */
  path?: string | ((atMs: number) => string);
  /**
   * Requests are sent whether or not earlier ones were answered: so many per second, evenly spaced, or as a function says
   * that is given when the last one was due and tells when the next one is, both in ms since the load began.
   */
  rate: number | ((afterMs: number) => number | undefined);
}

export interface Sample {
  /** When it was due, epoch ms: latency counts from here, so that a stall is not left out. */
  dueAt: number;
  endedAt: number;
  /** 0 when there was no whole answer. */
  status: number;
  /** The replica that answered; empty where the proxy did. */
  boot: string;
  error: string | undefined;
}

export const latencyOf = (sample: Sample): number => sample.endedAt - sample.dueAt;

/** A steady open-loop load on keep-alive connections. */
export class PacedLoad {
  readonly samples: Sample[] = [];
  /** Epoch ms. */
  readonly startedAt = epochNow();
  readonly #options: LoadOptions;
  readonly #idle: RawConnection[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #done: Promise<void>;
  #stopped = false;

  private constructor(options: LoadOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  static start(options: LoadOptions): PacedLoad {
    return new PacedLoad(options);
  }

  /** Sends nothing more, waits for what is under way and returns all samples in the order in which they were due. */
  async stop(): Promise<Sample[]> {
    this.#stopped = true;
    await this.#done;
    await Promise.all(this.#open);
    for (const connection of this.#idle) connection.destroy();
    return this.samples.sort((a, b) => a.dueAt - b.dueAt);
  }

  async #run(): Promise<void> {
    const { rate, path = '/' } = this.#options;
    const next = typeof rate === 'function' ? rate : (after: number) => after + 1000 / rate;
    let atMs = typeof rate === 'function' ? rate(0) : 0;
    while (atMs !== undefined && !this.#stopped) {
      const dueAt = this.startedAt + atMs;
      const wait = dueAt - epochNow();
      if (wait > 0) await pause(wait);
      if (this.#stopped) return;
      const one = this.#one(dueAt, typeof path === 'string' ? path : path(atMs)).finally(() => this.#open.delete(one));
      this.#open.add(one);
      atMs = next(atMs);
    }
  }

  async #one(dueAt: number, path: string): Promise<void> {
    const { port, host } = this.#options;
    let connection: RawConnection | undefined;
    try {
      // What has arrived is read first: the end of a connection may be there and not be known yet.
      await turn();
      connection = this.#take() ?? (await RawConnection.open(port));
      const answer = await connection.exchange({ host, path, close: false });
      if (answer.ending === 'truncated') throw new Disconnected('in the middle of the answer');
      const boot = answer.headers['x-mimic-boot'] ?? '';
      this.samples.push({ dueAt, endedAt: answer.endedAt, status: answer.status, boot, error: undefined });
      if (answer.headers['connection'] === 'close') connection.destroy();
      else this.#idle.push(connection);
    } catch (error) {
      connection?.destroy();
      this.samples.push({ dueAt, endedAt: epochNow(), status: 0, boot: '', error: String(error) });
    }
  }

  /** The one that has been idle for longest: so none is idle until the other side tires of it. */
  #take(): RawConnection | undefined {
    let connection = this.#idle.shift();
    while (connection?.ended) connection = this.#idle.shift();
    return connection;
  }
}

/** Sends a load for so long and returns its samples. */
export async function loadFor(seconds: number, options: LoadOptions): Promise<Sample[]> {
  const load = PacedLoad.start(options);
  await pause(seconds * 1000);
  return load.stop();
}

/** How many samples there are of each status. */
export function byStatus(samples: readonly Sample[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of samples) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The value below which the share `q` of the latencies lies, ms; NaN without samples. */
export function latencyQuantile(samples: readonly Sample[], q: number): number {
  const sorted = samples.map(latencyOf).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
