import { closeSync, openSync, readSync } from 'node:fs';

/** One line of what a mimic writes down; times are epoch milliseconds. */
export interface MimicEvent {
  at: number;
  /** One run of one mimic: unique also where every replica has the same process id. */
  boot: string;
  pid: number;
  port: number;
  event: 'boot' | 'clash' | 'listening' | 'ready' | 'sick' | 'term' | 'exit' | 'probe' | 'begin' | 'end';
  /** begin, end: the X-Test-Id of the request. */
  id?: string;
  method?: string;
  url?: string;
  /** begin, probe: whether the app was ready, and whether it had been told to end. */
  ready?: boolean;
  dying?: boolean;
  /** begin: requests in flight in this replica, this one included. */
  inFlight?: number;
  /** end: aborted when the connection went before the whole answer was sent. */
  outcome?: 'done' | 'aborted';
  code?: number;
}

/**
 * What all the replicas of one service saw, in the order in which they wrote it down; but those whose port another
 * program had taken, in whose place another one is started at once.
 */
export class MimicLog {
  readonly file: string;
  #events: MimicEvent[] = [];
  /** Runs that found their port taken. */
  readonly #clashes = new Set<string>();
  /** Bytes of the file that were read, and those at its end that are not a whole line yet. */
  #read = 0;
  #rest = '';

  constructor(file: string) {
    this.file = file;
  }

  events(kind?: MimicEvent['event']): MimicEvent[] {
    this.#follow();
    return this.#events.filter(({ event }) => kind === undefined || event === kind);
  }

  /** The runs that began, in order. */
  boots(): string[] {
    return this.events('boot').map(({ boot }) => boot);
  }

  /** The one event of that kind; throws unless there is exactly one. */
  only(kind: MimicEvent['event']): MimicEvent {
    const found = this.events(kind);
    if (found.length !== 1) throw new Error(`${found.length} events “${kind}” where one was expected`);
    return found[0] as MimicEvent;
  }

  /** The runs that a request id reached, in order. */
  begun(id: string): string[] {
    return this.events('begin')
      .filter((event) => event.id === id)
      .map(({ boot }) => boot);
  }

  /** How often a request id reached an app. */
  seen(id: string): number {
    return this.begun(id).length;
  }

  /** The ids that reached an app more than once. */
  repeated(): string[] {
    const counts = new Map<string, number>();
    for (const { id = '' } of this.events('begin')) counts.set(id, (counts.get(id) ?? 0) + 1);
    return [...counts].filter(([, count]) => count > 1).map(([id]) => id);
  }

  /** The most requests that one replica had in flight at once. */
  mostInFlight(): number {
    return Math.max(0, ...this.events('begin').map(({ inFlight = 0 }) => inFlight));
  }

  /** Reads what was appended since: waiting for something in a long log shall cost little. */
  #follow(): void {
    const file = openIfThere(this.file);
    if (file === undefined) return;
    const block = Buffer.alloc(256 * 1024);
    for (let size = readSync(file, block, 0, block.length, this.#read); size > 0; ) {
      this.#read += size;
      const lines = (this.#rest + block.toString('latin1', 0, size)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#note(JSON.parse(line) as MimicEvent);
      size = readSync(file, block, 0, block.length, this.#read);
    }
    closeSync(file);
  }

  #note(event: MimicEvent): void {
    if (event.event === 'clash') {
      this.#clashes.add(event.boot);
      this.#events = this.#events.filter(({ boot }) => boot !== event.boot);
    } else if (!this.#clashes.has(event.boot)) {
      this.#events.push(event);
    }
  }
}

/** Nobody ran yet where there is no file. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
