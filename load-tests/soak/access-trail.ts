import { closeSync, openSync, readSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';

/** What the access log says of a request that ended badly, or of a tunnel. */
export interface Trace {
  /** Where the request went last; null when it went nowhere. */
  endpoint: string | null;
  /** When its head was complete, epoch ms. */
  at: number;
}

interface Line {
  time: string;
  target: string;
  endpoint: string | null;
  status: number;
  ending: string;
}

/**
 * Follows the proxy's access log, keeps what it says of requests that failed, and of tunnels, by the id in their target, and lets the
 * rest go: a soak of hours logs more than a disk should hold.
 */
export class AccessTrail {
  readonly file: string;
  readonly #traces = new Map<string, Trace>();
  #read = 0;
  #rest = '';

  constructor(file: string) {
    this.file = file;
  }

  traceOf(id: string): Trace | undefined {
    return this.#traces.get(id);
  }

  /** Moves the file away, has the proxy open it anew, and reads what it wrote before. */
  async rotate(reopen: () => Promise<void>): Promise<void> {
    const old = `${this.file}.old`;
    await rename(this.file, old);
    await reopen();
    this.#follow(old);
    [this.#read, this.#rest] = [0, ''];
    await rm(old);
  }

  /** Reads what was written since. */
  follow(): void {
    this.#follow(this.file);
  }

  #follow(path: string): void {
    const file = openSync(path, 'r');
    const block = Buffer.alloc(256 * 1024);
    for (let size = readSync(file, block, 0, block.length, this.#read); size > 0; ) {
      this.#read += size;
      const lines = (this.#rest + block.toString('latin1', 0, size)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(JSON.parse(line) as Line);
      size = readSync(file, block, 0, block.length, this.#read);
    }
    closeSync(file);
  }

  #take({ time, target, endpoint, status, ending }: Line): void {
    // Of a tunnel the proxy does not know whether its end was the right one.
    if (status < 500 && status !== 101 && ending !== 'upstream-broke') return;
    const id = /[?&]n=([\w-]+)/.exec(target)?.[1];
    if (id !== undefined) this.#traces.set(id, { endpoint, at: Date.parse(time) });
  }
}
