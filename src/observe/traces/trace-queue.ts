import type { Logger } from '../../model/observe.ts';
import type { TracedRequest, TracedStart, Traces } from '../../model/traces.ts';
import { withDeadline } from '../../util/abort.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { Throttle } from '../../util/throttle.ts';
import type { Poster, Traced } from './otlp.ts';

/** What is traced is gathered for this long before it is posted, ms. */
const FLUSH_MS = 1000;
/** Requests and starts of one post. */
const BATCH = 256;
/** Most that wait; what comes on top is dropped and counted. */
const MAX_WAITING = 2048;
/** Longest that the end is held up, ms. */
const CLOSE_MS = 1500;

interface TraceQueueOptions {
  sample: number;
  /** Where they go to, for people. */
  endpoint: string;
  poster: Poster;
  clock: Clock;
  logger: Logger;
}

/** Hands on what is traced, one post at a time; a collector that is slow or away holds nothing up. */
export class TraceQueue implements Traces {
  readonly sample: number;
  readonly #options: TraceQueueOptions;
  #waiting: Traced[] = [];
  #timer: Timer | undefined;
  #posting: Promise<void> | undefined;
  /** Requests and starts of the post that is under way. */
  #underWay = 0;
  #lost = 0;
  #isClosed = false;
  readonly #told = new Throttle();

  constructor(options: TraceQueueOptions) {
    this.sample = options.sample;
    this.#options = options;
  }

  request(request: TracedRequest): void {
    if (this.#hasRoom()) this.#add({ request });
  }

  start(start: TracedStart): void {
    if (this.#hasRoom()) this.#add({ start });
  }

  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** Posts what waits, within a bound; the rest is lost. */
  async close(): Promise<void> {
    const { poster, clock, logger, endpoint } = this.#options;
    this.#isClosed = true;
    this.#timer?.cancel();
    const empty = () => this.#empty().then(() => poster.close());
    const late = () => new Error('the collector is too slow');
    await withDeadline(clock, CLOSE_MS, new AbortController().signal, late, empty).catch(() => undefined);
    const lost = this.#underWay + this.#waiting.length;
    this.#waiting = [];
    if (lost > 0) logger.warn({ endpoint, lost }, `the collector did not take the last traces: ${lost} are lost`);
  }

  async #empty(): Promise<void> {
    await this.#posting;
    while (this.#waiting.length > 0) await this.#post();
  }

  #hasRoom(): boolean {
    if (!this.#isClosed && this.#waiting.length < MAX_WAITING) return true;
    this.#lose(1, 'it is too slow');
    return false;
  }

  #add(traced: Traced): void {
    this.#waiting.push(traced);
    if (this.#posting !== undefined || this.#isClosed) return;
    if (this.#waiting.length >= BATCH) this.#begin();
    else this.#timer ??= this.#options.clock.after(FLUSH_MS, () => this.#begin());
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#posting ??= this.#post().finally(() => {
      this.#posting = undefined;
      if (this.#isClosed || this.#waiting.length === 0) return;
      if (this.#waiting.length >= BATCH) this.#begin();
      else this.#timer ??= this.#options.clock.after(FLUSH_MS, () => this.#begin());
    });
  }

  async #post(): Promise<void> {
    const batch = this.#waiting.splice(0, BATCH);
    this.#underWay = batch.length;
    try {
      await this.#options.poster.post(batch);
    } catch (thrown) {
      this.#lose(batch.length, reasonOf(thrown));
    } finally {
      this.#underWay = 0;
    }
  }

  #lose(count: number, why: string): void {
    const { clock, logger, endpoint } = this.#options;
    this.#lost += count;
    const lost = this.#told.note('lost', clock.now(), count);
    if (lost > 0) logger.warn({ endpoint, lost }, `traces are lost, as the collector does not take them: ${why}`);
  }
}

/** What a failed post says, in one short line: a collector's whole answer is of no use in the log. */
function reasonOf(thrown: unknown): string {
  const { message = '', code } = thrown as { message?: string; code?: string | number };
  const text = message !== '' ? message : code === undefined ? 'it was not reached' : String(code);
  return text.replace(/\s+/g, ' ').slice(0, 200);
}
