import type { BudgetSettings } from '../../model/settings.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { type BucketRate, fullBucket, type TokenBucket, takeToken, untilToken } from '../../util/token-bucket.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { type Ask, type BudgetFacts, ReplicaBudget } from './replica-budget.ts';

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
 * that no request waits for, and the budget of replicas over all services, shared max–min fairly. The first replica of
 * a service for which a request waits comes before everything else.
 */
export class StartGate {
  readonly #clock: Clock;
  readonly #replicas: ReplicaBudget;
  readonly #onOver: (service: string) => void;
  readonly #memory: MemoryBudget | undefined;
  #budget: BudgetSettings;
  #permits = 0;
  #bucket: TokenBucket;
  #timer: Timer | undefined;
  #pumping = false;
  /** By service, in the order of their turns. */
  readonly #queues = new Map<string, Waiting[]>();

  /**
   * @param onOver a service is to give up a replica to others: see `givesOf`
   * @param memory absent: memory keeps nothing back
   */
  constructor(
    clock: Clock,
    budget: BudgetSettings,
    onOver: (service: string) => void = () => {},
    memory?: MemoryBudget,
  ) {
    this.#clock = clock;
    this.#memory = memory;
    this.#replicas = new ReplicaBudget(budget.replicas);
    this.#onOver = onOver;
    this.#budget = budget;
    this.#bucket = fullBucket(this.#rate(), clock.now());
  }

  configure(budget: BudgetSettings): void {
    this.#budget = budget;
    this.#replicas.resize(budget.replicas);
    this.#pumpSoon();
  }

  request(request: StartRequest): Ticket {
    const waiting: Waiting = { ...request };
    const queue = this.#queues.get(request.service) ?? [];
    queue.push(waiting);
    this.#queues.set(request.service, queue);
    this.#memory?.ask(request.service, request.replica);
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
      cancel: () => {
        // Once granted, what is asked for in the replica's name is another start's.
        if (this.#remove(waiting)) this.#memory?.forget(waiting.replica);
      },
    };
  }

  /** How many starts there may be at the same time. */
  get concurrentStarts(): number {
    return this.#budget.concurrentStarts;
  }

  /** A replica holds capacity: it starts, was found running, or is being stopped. */
  occupy(service: string, replica: string): void {
    this.#replicas.occupy(service, replica);
    this.#pumpSoon();
  }

  /** It runs no more. */
  vacate(service: string, replica: string): void {
    if (this.#replicas.vacate(service, replica)) this.#pumpSoon();
  }

  /** What a service asks of the budget; undefined: nothing. */
  ask(service: string, ask: Ask | undefined): void {
    if (this.#replicas.ask(service, ask)) this.#pumpSoon();
  }

  /**
   * How many more replicas the budget allows a service, its share and those of others considered; may be negative.
   * @param back so many that drain it may have back
   */
  leftFor(service: string, back = 0): number {
    return this.#replicas.leftFor(service, back);
  }

  /** Services below their share of the budget to each of which this one is to give up a replica. */
  givesOf(service: string): readonly string[] {
    return this.#replicas.givesOf(service);
  }

  /** Who has what of the budget, where there is no room for all. */
  factsFor(service: string): BudgetFacts {
    return this.#replicas.facts(service);
  }

  /** There may be room for who waits. */
  again(): void {
    this.#pumpSoon();
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
    while (this.#permits < this.#budget.concurrentStarts && this.#replicas.left > 0) {
      const next = this.#takeNext();
      if (next === undefined) break;
      this.#permits++;
      this.#replicas.occupy(next.service, next.replica);
      this.#memory?.take(next.service, next.replica);
      next.granted(this.#permit());
    }
    this.#replicas.shareOut();
    for (const service of [...this.#replicas.givers]) this.#onOver(service);
  }

  /** The first that may start now; its service goes to the end of the round. */
  #takeNext(): Waiting | undefined {
    const now = this.#clock.now();
    const wait = untilToken(this.#bucket, this.#rate(), now);
    let held = false;
    let found: Waiting | undefined;
    this.#replicas.shareOut();
    for (const [service, queue] of this.#queues) {
      const next = queue.find(({ limited }) => !limited || wait === 0);
      if (next === undefined) {
        held = true;
        continue;
      }
      const isFirst = !next.limited && this.#replicas.keeps(service) <= 0;
      if ((found !== undefined && !isFirst) || this.#replicas.leftFor(service) <= 0) continue;
      if (this.#memory?.admits(service, next.replica) === false) continue;
      found = next;
      if (isFirst) break;
    }
    if (found === undefined) {
      if (held) this.#timer = this.#clock.after(wait, () => this.#pump());
      return undefined;
    }
    if (found.limited) this.#bucket = takeToken(this.#bucket, this.#rate(), now);
    this.#remove(found);
    const rest = this.#queues.get(found.service);
    if (rest !== undefined) {
      this.#queues.delete(found.service);
      this.#queues.set(found.service, rest);
    }
    return found;
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

  /** @returns whether it was waiting still */
  #remove(waiting: Waiting): boolean {
    const queue = this.#queues.get(waiting.service);
    const index = queue?.indexOf(waiting) ?? -1;
    if (queue === undefined || index < 0) return false;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(waiting.service);
    return true;
  }
}
