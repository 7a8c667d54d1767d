import { type Sharing, type Stake, shareOut } from './sharing.ts';

/** What a service tells of itself; how many replicas it has is known here. */
export type Ask = Omit<Stake, 'service' | 'keeps'>;

/**
 * Who has what of a budget that is used up, or too small for all: plain numbers for a decision's inputs. Beside those
 * named here `heldBy.NAME` for the services that have most, and `leavingOf.NAME` for those of them that drain or stop.
 */
export interface BudgetFacts {
  /** Replicas that all services together may have. */
  budget?: number;
  budgetHeld?: number;
  /** So many of them are this service's, shared max–min fairly. */
  fairShare?: number;
  /** By those together that are not named. */
  heldByOthers?: number;
}

/** Services that are named as holders of the budget. */
const NAMED = 5;

/**
 * The budget of replicas over all services: who holds how many, and whose the rest is. Shares are those of the last
 * `shareOut`.
 */
export class ReplicaBudget {
  size: number;
  /** By service, replicas that hold capacity: from the leave to start to their exit. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #asks = new Map<string, Ask>();
  #held = 0;
  #wanted = 0;
  /** What all together have less than they want. */
  #owed = 0;
  /**
   * As it was worked out last: once for all that changes in a turn, which may be thousands of services. Undefined where
   * there is room for all: shares are what is wanted.
   */
  #sharing: Sharing | undefined;
  #isStale = false;

  constructor(size: number) {
    this.size = size;
  }

  resize(size: number): void {
    this.size = size;
    this.#isStale = true;
  }

  /** How many more replicas there may be; may be negative after a reload. */
  get left(): number {
    return this.size - this.#held;
  }

  occupy(service: string, replica: string): void {
    const mine = this.#holders.get(service) ?? new Set();
    if (mine.has(replica)) return;
    this.#change(service, () => this.#holders.set(service, mine.add(replica)));
    this.#held++;
  }

  /** @returns whether there is more room now */
  vacate(service: string, replica: string): boolean {
    const mine = this.#holders.get(service);
    if (mine === undefined || !mine.has(replica)) return false;
    this.#change(service, () => mine.delete(replica));
    if (mine.size === 0) this.#holders.delete(service);
    this.#held--;
    return true;
  }

  /** @param ask undefined: it wants none. @returns whether that is news */
  ask(service: string, ask: Ask | undefined): boolean {
    const before = this.#asks.get(service);
    if (before === ask || (before !== undefined && ask !== undefined && isSame(before, ask))) return false;
    const { want = 0 } = ask ?? {};
    const { want: wantBefore = 0 } = before ?? {};
    this.#change(service, () => {
      // Who begins to want more stands behind those who did before.
      if (ask === undefined || wantBefore < want) this.#asks.delete(service);
      if (ask !== undefined) this.#asks.set(service, ask);
    });
    this.#wanted += want - wantBefore;
    return true;
  }

  /** Replicas of a service that hold capacity and stay. */
  keeps(service: string): number {
    const held = this.#holders.get(service)?.size ?? 0;
    return Math.max(0, held - (this.#asks.get(service)?.leaving ?? 0));
  }

  /**
   * How many more a service may have than it keeps: what is free, without what others are below their share, unless it
   * is below its own. May be negative.
   * @param back so many that are leaving it may have back
   */
  leftFor(service: string, back = 0): number {
    const free = this.left + back;
    const below = this.#shareOf(service) - this.keeps(service);
    const owed = this.#sharing?.owed ?? this.#owed;
    return Math.min(free, Math.max(below, free - (owed - Math.max(0, below))));
  }

  /** Services to each of which this one is to give up a replica: it has more than its share, and they have less. */
  givesOf(service: string): readonly string[] {
    // What has just been given up is not to be given up again.
    if (this.#sharing?.gives.has(service)) this.shareOut();
    return this.#sharing?.gives.get(service) ?? [];
  }

  /** Who is to give up any. */
  get givers(): Iterable<string> {
    return this.#sharing?.gives.keys() ?? [];
  }

  /** Works out the shares anew, where anything has changed. */
  shareOut(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#sharing = this.isTight ? shareOut(this.size, this.#stakes) : undefined;
  }

  /** Whether it is used up, or all that is wanted does not fit in. */
  get isTight(): boolean {
    return this.left <= 0 || this.#wanted > this.size;
  }

  /** Who has what, as a service's decision rests on it; nothing where there is room. */
  facts(service: string): BudgetFacts {
    if (!this.isTight && this.leftFor(service) > 0) return {};
    const holders = [...this.#holders].sort(([, a], [, b]) => b.size - a.size);
    const fairShare = this.#shareOf(service);
    const facts: Record<string, number> = { budget: this.size, budgetHeld: this.#held, fairShare };
    for (const [name, { size }] of holders.slice(0, NAMED)) {
      facts[`heldBy.${name}`] = size;
      const leaving = this.#asks.get(name)?.leaving ?? 0;
      if (leaving > 0) facts[`leavingOf.${name}`] = leaving;
    }
    const others = holders.slice(NAMED).reduce((sum, [, { size }]) => sum + size, 0);
    if (others > 0) facts['heldByOthers'] = others;
    return facts;
  }

  #shareOf(service: string): number {
    const { shares } = this.#sharing ?? {};
    return (shares === undefined ? this.#asks.get(service)?.want : shares.get(service)) ?? 0;
  }

  #change(service: string, change: () => void): void {
    const before = this.#owedTo(service);
    change();
    this.#owed += this.#owedTo(service) - before;
    this.#isStale = true;
  }

  #owedTo(service: string): number {
    return Math.max(0, (this.#asks.get(service)?.want ?? 0) - this.keeps(service));
  }

  get #stakes(): Stake[] {
    const stakes = [...this.#asks].map(([service, ask]) => ({ ...ask, service, keeps: this.keeps(service) }));
    for (const [service, { size }] of this.#holders) {
      if (this.#asks.has(service)) continue;
      stakes.push({ service, keeps: size, leaving: 0, min: 0, want: size, isFixed: true });
    }
    return stakes;
  }
}

function isSame(a: Ask, b: Ask): boolean {
  return a.leaving === b.leaving && a.min === b.min && a.want === b.want && a.isFixed === b.isFixed;
}
