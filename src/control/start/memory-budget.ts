import type { HostMemory, MemoryUse } from '../../model/host-memory.ts';
import type { MemoryBound } from '../../model/settings.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { cheapestToLose, type Loss, lossText, type MemoryStake } from './cheapest-to-lose.ts';

/** A wake waits for the room that is being made no longer than this, ms: then it starts all the same. */
const MOST_WAIT_MS = 2000;
/** While a start waits, it is looked no sooner for more that may go, ms: thousands may wait. */
const LOOK_EVERY_MS = 250;
const MIB = 2 ** 20;
/** A replica is taken to need so much while none of any service was measured, MiB … */
const UNKNOWN_MIB = 128;
/** … and at most this part of the budget: a small one is there for small replicas. */
const UNKNOWN_SHARE = 1 / 8;

/** How it stands with the memory, as a decision rests on it; MiB. */
export interface MemoryFacts {
  /** How many more replicas of the service there is memory for. */
  memoryLeft?: number;
  memoryBudgetMiB?: number;
  memoryTakenMiB?: number;
  /** What one replica of the service takes. */
  memoryNeedMiB?: number;
  /** What the host has available, and what of that is left alone. */
  memoryAvailableMiB?: number;
  memoryReserveMiB?: number;
}

interface MemoryBudgetOptions {
  clock: Clock;
  bound: MemoryBound | undefined;
  /** Undefined where nobody tells: there is no budget. */
  host: (() => HostMemory) | undefined;
  /** Replicas of a service are to go. @param why as in `because …`, of all of them */
  onWanted: (service: string, losses: readonly Loss[], why: string) => void;
  /** A service starts over the budget, since nothing more may go. */
  onOver: (service: string, text: string) => void;
  /** There may be room for who waits. */
  onRoom: () => void;
}

interface Entry {
  stake: MemoryStake;
  /** Worth of what was lost last when it was used last. */
  age: number;
  /** What its replicas have, and of this what is about to go; MiB. */
  total: number;
  leaving: number;
}

interface Waiting {
  needMiB: number;
  since: number;
  lookedAt: number;
}

/**
 * The budget of memory over all services: what replicas take, or are expected to take, and who goes when one that is
 * waited for needs room. A start is kept waiting only while what goes for it ends, and never refused.
 */
export class MemoryBudget {
  readonly #options: MemoryBudgetOptions;
  #bound: MemoryBound | undefined;
  #host: HostMemory | undefined;
  readonly #entries = new Map<string, Entry>();
  /** Starts that were asked for and not let through yet, by replica, and what those of each service need; MiB. */
  readonly #asked = new Map<string, { service: string; needMiB: number }>();
  readonly #askedOf = new Map<string, number>();
  #askedMiB = 0;
  /** Starts that were let through, of which their service did not tell yet; by replica. */
  readonly #taken = new Map<string, { service: string; needMiB: number }>();
  /** Starts that wait for room, by replica. */
  readonly #waiting = new Map<string, Waiting>();
  /** What is to go and was not told yet, by service. */
  #wanted = new Map<string, { losses: Loss[]; why: string }>();
  #total = 0;
  #leaving = 0;
  /** Services that are there and were measured, and what one replica of each needs, together; MiB. */
  #measured = { services: 0, needMiB: 0 };
  /** What one of theirs needs on average, also when all of them are asleep; undefined before the first. */
  #usualMiB: number | undefined;
  /** Worth of what was lost last: grows for ever, so that nothing stays of worth for what it was long ago. */
  #age = 0;
  #timer: Timer | undefined;

  constructor(options: MemoryBudgetOptions) {
    this.#options = options;
    this.#bound = options.bound;
    this.#host = options.host?.();
  }

  configure(bound: MemoryBound | undefined): void {
    this.#bound = bound;
    this.#options.onRoom();
  }

  /** What there may be, and what there is; undefined where there is no budget. */
  get use(): MemoryUse | undefined {
    const host = this.#host;
    const budget = this.#budgetMiB;
    if (host === undefined || budget === undefined) return undefined;
    return {
      budgetBytes: Math.round(budget * MIB),
      usedBytes: Math.round(this.#total * MIB),
      hostBytes: host.totalBytes,
      availableBytes: host.availableBytes ?? null,
    };
  }

  /** Tells what a service has; undefined: nothing. */
  put(service: string, stake: MemoryStake | undefined): void {
    const before = this.#entries.get(service);
    for (const [replica, taken] of this.#taken) {
      if (taken.service !== service) continue;
      this.#taken.delete(replica);
      this.#total -= taken.needMiB;
    }
    const [total, leaving] = stake === undefined ? [0, 0] : sumsOf(stake);
    const isLess = total < (before?.total ?? 0);
    this.#total += total - (before?.total ?? 0);
    this.#leaving += leaving - (before?.leaving ?? 0);
    this.#count(before?.stake, -1);
    this.#count(stake, 1);
    if (stake === undefined) {
      this.#entries.delete(service);
    } else {
      const isUsed = before === undefined || stake.usedAt > before.stake.usedAt;
      this.#entries.set(service, { stake, age: isUsed ? this.#age : before.age, total, leaving });
    }
    // What rounding left behind would add up.
    if (this.#entries.size + this.#taken.size === 0) this.#total = this.#leaving = 0;
    if (isLess && this.#waiting.size > 0) this.#options.onRoom();
  }

  /** A start is asked for: nobody else's increase may count on the room that it needs. @param replica as for `admits` */
  ask(service: string, replica: string): void {
    this.#unask(replica);
    const needMiB = this.#needOf(service, replica);
    this.#asked.set(replica, { service, needMiB });
    this.#askedOf.set(service, (this.#askedOf.get(service) ?? 0) + needMiB);
    this.#askedMiB += needMiB;
  }

  /**
   * Whether a start may go ahead as far as memory goes. Where there is no room, what is cheapest to lose is told to go,
   * and its end is waited for; where nothing may go, it may.
   * @param replica the place that it is for
   */
  admits(service: string, replica: string): boolean {
    const budget = this.#budgetMiB;
    if (budget === undefined) return true;
    const needMiB = this.#needOf(service, replica);
    if (this.#exceeds(needMiB, budget) <= 0) return true;
    const now = this.#options.clock.now();
    const waiting = this.#waiting.get(replica) ?? { needMiB, since: now, lookedAt: Number.NEGATIVE_INFINITY };
    if (now - waiting.since >= MOST_WAIT_MS) return true;
    if (now - waiting.lookedAt >= LOOK_EVERY_MS) {
      waiting.lookedAt = now;
      this.#waiting.delete(replica);
      const others = [...this.#waiting.values()].reduce((sum, each) => sum + each.needMiB, 0);
      const missing = this.#total - this.#leaving + needMiB + others - budget;
      if (missing > 0) this.#want(missing, service, `to make room for ${service}`);
    }
    if (this.#leaving <= 0) return true;
    this.#waiting.set(replica, waiting);
    this.#timer ??= this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#timer = undefined;
      if (this.#waiting.size > 0) this.#options.onRoom();
    });
    return false;
  }

  /** A start goes ahead. */
  take(service: string, replica: string): void {
    this.forget(replica);
    const needMiB = this.#needOf(service, replica);
    const budget = this.#budgetMiB;
    const over = budget === undefined ? 0 : this.#exceeds(needMiB, budget);
    if (budget !== undefined && over > 0) {
      const why = this.#leaving > 0 ? 'what goes to make room takes longer' : 'nothing may go to make room';
      const more =
        over < needMiB ? `, ${atLeastOne(over)} MiB more than there is room for` : ' for which there is no room';
      this.#options.onOver(service, `takes ${atLeastOne(needMiB)} MiB${more} (${this.#takenText(budget)}): ${why}`);
    }
    this.#taken.set(replica, { service, needMiB });
    this.#total += needMiB;
  }

  /** A start was given up. */
  forget(replica: string): void {
    this.#waiting.delete(replica);
    this.#unask(replica);
  }

  /** Whether there is any: without one nothing need be told. */
  get isKept(): boolean {
    return this.#budgetMiB !== undefined;
  }

  /** What a replica is taken to need of which nothing is known, MiB: as much as those that were measured do on average. */
  get guessMiB(): number {
    return this.#usualMiB ?? Math.min(UNKNOWN_MIB, UNKNOWN_SHARE * (this.#budgetMiB ?? Number.POSITIVE_INFINITY));
  }

  /**
   * How it stands for further replicas of a service, where there is no memory for so many more; else nothing. Those of it
   * that are paused have theirs already. What others have asked for counts as taken.
   * @param queued so many starts of it wait, and have taken nothing yet
   */
  factsFor(service: string, needMiB: number, more: number, queued = 0): MemoryFacts {
    const budget = this.#budgetMiB;
    if (budget === undefined) return {};
    const available = this.#host?.availableBytes;
    const free = available === undefined ? Number.POSITIVE_INFINITY : available / MIB - this.#reserveMiB;
    const others = this.#askedMiB - (this.#askedOf.get(service) ?? 0);
    const left = Math.min(budget - this.#total, free) - others;
    // What needs nothing has room wherever any is left, and 0 / 0 is no number.
    const fresh = needMiB > 0 ? Math.floor(left / needMiB) : left >= 0 ? Number.POSITIVE_INFINITY : 0;
    const paused = this.#entries.get(service)?.stake.holders.filter(({ state }) => state === 'paused').length ?? 0;
    const memoryLeft = Math.max(0, Math.max(0, fresh) + paused - queued);
    if (memoryLeft >= more) return {};
    return {
      memoryLeft,
      memoryBudgetMiB: Math.round(budget),
      memoryTakenMiB: Math.round(this.#total),
      memoryNeedMiB: Math.round(needMiB),
      ...(available !== undefined && {
        memoryAvailableMiB: Math.round(available / MIB),
        memoryReserveMiB: Math.round(this.#reserveMiB),
      }),
    };
  }

  /** Why a service is not started ahead of a call, which takes no room from others; undefined: it may be, or is there. */
  refusalAhead(service: string, needMiB: number): MemoryFacts | undefined {
    const isThere = this.#entries.get(service)?.stake.holders.some(({ state }) => state !== 'paused') ?? false;
    const facts = this.factsFor(service, needMiB, 1);
    return isThere || facts.memoryLeft === undefined ? undefined : facts;
  }

  /** Once a second: looks at the host, and has the cheapest go where replicas have grown over the budget. */
  tick(): void {
    this.#host = this.#options.host?.() ?? this.#host;
    const budget = this.#budgetMiB;
    if (budget === undefined) return;
    // What starts wait for, they have go themselves.
    const excess = this.#total - this.#leaving - budget;
    if (excess > 0) this.#want(excess, undefined, `as replicas take more than the budget (${this.#takenText(budget)})`);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting.clear();
  }

  #unask(replica: string): void {
    const asked = this.#asked.get(replica);
    if (asked === undefined) return;
    this.#asked.delete(replica);
    // What rounding left behind would add up.
    if (this.#asked.size === 0) {
      this.#askedOf.clear();
      this.#askedMiB = 0;
      return;
    }
    const { service, needMiB } = asked;
    this.#askedOf.set(service, (this.#askedOf.get(service) ?? 0) - needMiB);
    this.#askedMiB -= needMiB;
  }

  /** What a start at a place takes besides what is there, MiB: what is paused has most of it already. */
  #needOf(service: string, replica: string): number {
    const stake = this.#entries.get(service)?.stake;
    const has = stake?.holders.find(({ name }) => name === replica)?.memoryMiB ?? 0;
    return Math.max(0, (stake?.needMiB ?? 0) - has);
  }

  /** How much of what a start takes there is no room for, MiB; 0 or less: there is for all of it. */
  #exceeds(needMiB: number, budget: number): number {
    return needMiB - Math.max(0, budget - this.#total);
  }

  /** @param by 1: it is there; −1: it is not there as before */
  #count(stake: MemoryStake | undefined, by: 1 | -1): void {
    if (!stake?.isMeasured) return;
    const services = this.#measured.services + by;
    // What rounding left behind would add up.
    this.#measured = { services, needMiB: services === 0 ? 0 : this.#measured.needMiB + by * stake.needMiB };
    if (services > 0) this.#usualMiB = this.#measured.needMiB / services;
  }

  #takenText(budget: number): string {
    return `${Math.round(this.#total)} of ${Math.round(budget)} MiB are taken`;
  }

  get #budgetMiB(): number | undefined {
    if (this.#host === undefined || this.#bound === undefined) return undefined;
    const { totalBytes } = this.#host;
    return ('bytes' in this.#bound ? this.#bound.bytes : this.#bound.share * totalBytes) / MIB;
  }

  /** What an increase leaves alone of what the host has available, MiB: the part that is not in a share. */
  get #reserveMiB(): number {
    if (this.#host === undefined || this.#bound === undefined || 'bytes' in this.#bound) return 0;
    return ((1 - this.#bound.share) * this.#host.totalBytes) / MIB;
  }

  #want(missingMiB: number, except: string | undefined, why: string): void {
    const told = this.#wanted;
    const stakes = [...this.#entries].map(([service, { stake, age }]) => {
      const going = told.get(service)?.losses ?? [];
      const holders = stake.holders.filter(({ ordinal }) => !going.some((loss) => loss.ordinal === ordinal));
      return { service, stake: { ...stake, holders }, age };
    });
    const losses = cheapestToLose(stakes, missingMiB, this.#options.clock.now(), except);
    if (losses.length === 0) return;
    if (told.size === 0) queueMicrotask(() => this.#tell());
    for (const loss of losses) {
      const entry = told.get(loss.service) ?? { losses: [], why };
      entry.losses.push(loss);
      told.set(loss.service, entry);
      this.#leaving += loss.memoryMiB;
      this.#age = Math.max(this.#age, loss.worth);
    }
  }

  /** Deferred, as it is found out in the middle of something else. */
  #tell(): void {
    const wanted = this.#wanted;
    this.#wanted = new Map();
    for (const [service, { losses, why }] of wanted) {
      // From here on the service tells itself what is about to go.
      this.#leaving -= losses.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
      this.#options.onWanted(service, losses, `${losses.map(lossText).join('; ')}, ${why}`);
    }
    if (this.#waiting.size > 0) this.#options.onRoom();
  }
}

/** For people: a part of one is not told as none. */
function atLeastOne(mib: number): number {
  return Math.max(1, Math.round(mib));
}

function sumsOf({ holders }: MemoryStake): [total: number, leaving: number] {
  let [total, leaving] = [0, 0];
  for (const { memoryMiB, state } of holders) {
    total += memoryMiB;
    if (state === 'leaving') leaving += memoryMiB;
  }
  return [total, leaving];
}
