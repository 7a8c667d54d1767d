import { type Clock, sleep } from '../../util/clock.ts';
import { type ControlContext, detached } from '../context.ts';
import { LOOK_EVERY_MS } from './shared-looks.ts';

/**
 * A runtime may call a replica running for this long after its end, ms: Docker learns of it from others, and connections
 * are closed before the kernel tells of an exit.
 */
const SETTLE_MS = 50;
/** A replica that was in doubt so short a time ago closes its connections as a habit, ms: one look at it is enough. */
const HABIT_MS = 5000;

interface AssuranceOptions {
  context: ControlContext;
  /** Looks at a run of a replica now: whether it still is the one that it was; undefined where that cannot be known. */
  look: (endpoint: string) => Promise<boolean | undefined>;
}

/** What is under way for one run of a replica. */
interface Inquiry {
  /** Who asked before the look that answers them began. */
  asked: (() => void)[];
  /** Who asked since. */
  late: (() => void)[];
  /** The look that answers is under way. */
  isLast: boolean;
}

/**
 * Finds out for the edges whether a replica whose connections closed unasked still is there, before they open others to
 * its address: another program may have it by now. One inquiry at a time for each, however many ask.
 */
export class Assurance {
  readonly #options: AssuranceOptions;
  readonly #inquiries = new Map<string, Inquiry>();
  /** When it was last found to be there, the clock's ms. */
  readonly #assuredAt = new Map<string, number>();

  constructor(options: AssuranceOptions) {
    this.#options = options;
  }

  /**
   * @param assured called when a look that began after this found it there, or nobody could look; else never
   * @returns whether nobody asks already: the doubt is news
   */
  ask(endpoint: string, assured: () => void): boolean {
    const inquiry = this.#inquiries.get(endpoint);
    if (inquiry !== undefined) {
      (inquiry.isLast ? inquiry.late : inquiry.asked).push(assured);
      return false;
    }
    this.#begin(endpoint, [assured]);
    return true;
  }

  #begin(endpoint: string, asked: (() => void)[]): void {
    const inquiry = { asked, late: [], isLast: false };
    this.#inquiries.set(endpoint, inquiry);
    detached(this.#options.context, `look at ${endpoint}`, this.#inquire(endpoint, inquiry));
  }

  async #inquire(endpoint: string, inquiry: Inquiry): Promise<void> {
    const { context, look } = this.#options;
    const { clock, life } = context;
    let isThere: boolean | undefined;
    try {
      // A look costs a call to its runtime.
      const rest = this.#assuredBefore(endpoint) + LOOK_EVERY_MS - clock.now();
      if (rest > 0) await sleep(clock, rest, life);
      inquiry.isLast = this.#isHabit(endpoint, clock);
      isThere = await look(endpoint);
      if (isThere === true && !inquiry.isLast) {
        await sleep(clock, SETTLE_MS, life);
        inquiry.isLast = true;
        isThere = await look(endpoint);
      }
    } finally {
      this.#inquiries.delete(endpoint);
    }
    if (isThere === false) {
      this.#assuredAt.delete(endpoint);
      return;
    }
    // What cannot be asked stays as it is known: a runtime that is away breaks no traffic.
    if (isThere) this.#note(endpoint, clock.now());
    for (const assured of inquiry.asked) assured();
    if (inquiry.late.length > 0) this.#begin(endpoint, inquiry.late);
  }

  #note(endpoint: string, now: number): void {
    for (const [other, at] of this.#assuredAt) if (now - at >= HABIT_MS) this.#assuredAt.delete(other);
    this.#assuredAt.set(endpoint, now);
  }

  #isHabit(endpoint: string, clock: Clock): boolean {
    return clock.now() - this.#assuredBefore(endpoint) < HABIT_MS;
  }

  #assuredBefore(endpoint: string): number {
    return this.#assuredAt.get(endpoint) ?? Number.NEGATIVE_INFINITY;
  }
}
