import type { BudgetSettings } from '../../model/settings.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { type BucketRate, fullBucket, type TokenBucket, takeToken, untilToken } from './token-bucket.ts';

interface StartRequest {
  service: string;
  /** Identity under which it will hold capacity. */
  replica: string;
  /** Counts towards `startsPerMinute`: everything but what a request waits for. */
  limited: boolean;
  /** Called once, never within `request`. */
  granted: (permit: Permit) => void;
}

/** A place in the queue. */
export interface Ticket {
  /** Whether it still counts towards `startsPerMinute`. */
  readonly isLimited: boolean;
  /** A request waits for it now: it counts towards `startsPerMinute` no more. */
  hurry(): void;
  /** Gives up the place; does nothing once granted. */
  cancel(): void;
}

/** Leave to start. Releasing twice does nothing. */
export interface Permit {
  release(): void;
}

interface Waiting extends StartRequest {
  limited: boolean;
}

/**
 * The one way to a start, whoever asks: a number of permits shared round robin between services, a rate for starts
 * that no request waits for, and the budget of replicas over all services.
 */
export class StartGate {
  readonly #clock: Clock;
  #budget: BudgetSettings;
  #permits = 0;
  #bucket: TokenBucket;
  #timer: Timer | undefined;
  #pumping = false;
  /** Replicas that hold capacity: from the grant to their exit. */
  readonly #holders = new Set<string>();
  /** By service, in the order of their turns. */
  readonly #queues = new Map<string, Waiting[]>();

  constructor(clock: Clock, budget: BudgetSettings) {
    this.#clock = clock;
    this.#budget = budget;
    this.#bucket = fullBucket(this.#rate(), clock.now());
  }

  configure(budget: BudgetSettings): void {
    this.#budget = budget;
    this.#pumpSoon();
  }

  request(request: StartRequest): Ticket {
    const waiting: Waiting = { ...request };
    const queue = this.#queues.get(request.service) ?? [];
    queue.push(waiting);
    this.#queues.set(request.service, queue);
    this.#pumpSoon();
    return {
      get isLimited() {
        return waiting.limited;
      },
      hurry: () => {
        if (!waiting.limited) return;
        waiting.limited = false;
        this.#pumpSoon();
      },
      cancel: () => this.#remove(waiting),
    };
  }

  /** A replica holds capacity: it starts, was found running, or is being stopped. */
  occupy(replica: string): void {
    this.#holders.add(replica);
  }

  /** It runs no more. */
  vacate(replica: string): void {
    if (this.#holders.delete(replica)) this.#pumpSoon();
  }

  /** How many more replicas the budget of all services allows; may be negative after a reload. */
  get budgetLeft(): number {
    return this.#budget.replicas - this.#holders.size;
  }

  /** Stops waiting for tokens; what is queued stays ungranted. */
  close(): void {
    this.#timer?.cancel();
    this.#queues.clear();
  }

  #rate(): BucketRate {
    return { burst: this.#budget.startsPerMinute, perMinute: this.#budget.startsPerMinute };
  }

  /** Deferred, so that all who ask in one turn are served in fair order and nobody is called back while asking. */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#permits < this.#budget.concurrentStarts && this.budgetLeft > 0) {
      const next = this.#takeNext();
      if (next === undefined) return;
      this.#permits++;
      this.occupy(next.replica);
      next.granted(this.#permit());
    }
  }

  /** The first that may start now; its service goes to the end of the round. */
  #takeNext(): Waiting | undefined {
    const now = this.#clock.now();
    const wait = untilToken(this.#bucket, this.#rate(), now);
    let held = false;
    for (const queue of this.#queues.values()) {
      const next = queue.find(({ limited }) => !limited || wait === 0);
      if (next === undefined) {
        held = true;
        continue;
      }
      if (next.limited) this.#bucket = takeToken(this.#bucket, this.#rate(), now);
      this.#remove(next);
      const rest = this.#queues.get(next.service);
      if (rest !== undefined) {
        this.#queues.delete(next.service);
        this.#queues.set(next.service, rest);
      }
      return next;
    }
    if (held) this.#timer = this.#clock.after(wait, () => this.#pump());
    return undefined;
  }

  #permit(): Permit {
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        this.#permits--;
        this.#pumpSoon();
      },
    };
  }

  #remove(waiting: Waiting): void {
    const queue = this.#queues.get(waiting.service);
    const index = queue?.indexOf(waiting) ?? -1;
    if (queue === undefined || index < 0) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(waiting.service);
  }
}
