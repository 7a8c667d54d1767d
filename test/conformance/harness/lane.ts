import { Client } from './client.ts';
import type { Origin } from './origin.ts';

/** A proxy with an origin of its own behind it: cases run on it one after the other, undisturbed by other lanes. */
export interface Lane {
  /** Where the proxy listens, on loopback. */
  port: number;
  origin: Origin;
  /** Clients come through TLS. */
  tls?: boolean;
}

/** Longest wait for an answer that is due, ms; only what goes wrong takes that long. */
export const ANSWER_MS = 25_000;

let serial = 0;

/** What came back for a clean request: its own answer, somebody else's, or nothing. */
export type Echo = 'own' | 'foreign' | 'none';

/** Sends a clean request and looks whether the answer is its own. */
export async function askOwn(client: Client, name: string, ms: number): Promise<Echo> {
  const target = `/${name}-${++serial}`;
  await client.send(`GET ${target} HTTP/1.1\r\nHost: clean\r\n\r\n`);
  try {
    const answer = await client.answer('GET', ms);
    if (answer === undefined) return 'none';
    return answer.status === 200 && answer.message.body === target && answer.ending === 'complete' ? 'own' : 'foreign';
  } catch {
    return 'foreign';
  }
}

/** Another client of the same proxy: its clean requests must get their own answers, whatever the others send. */
export class Neighbour {
  readonly #port: number;
  readonly #tls: boolean;
  #client: Client | undefined;

  constructor(port: number, tls = false) {
    this.#port = port;
    this.#tls = tls;
  }

  async ask(ms: number): Promise<Echo> {
    const kept = this.#client?.state === 'open' ? this.#client : undefined;
    if (kept !== undefined) {
      const echo = await askOwn(kept, 'neighbour', ms);
      if (echo !== 'none' || kept.state === 'open') return echo;
    }
    this.#client = await Client.open(this.#port, this.#tls);
    return askOwn(this.#client, 'neighbour', ms);
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}
