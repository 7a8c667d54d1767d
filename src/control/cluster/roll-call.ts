import type { Leader, LeaderLock, LockState, MemberRecord } from '../../model/cluster.ts';
import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import { GoneMembers } from './gone-members.ts';
import type { OwnRecord } from './own-record.ts';
import { Reach } from './reach.ts';
import type { ClusterWire } from './wire/cluster-wire.ts';

interface RollCallOptions {
  lock: LeaderLock;
  wire: ClusterWire;
  record: OwnRecord;
  clock: Clock;
  logger: Logger;
  /** This member's name. */
  self: string;
  leaseMs: number;
  ttlMs: number;
  /** The index under which this member leads; undefined: it does not. */
  leads: () => number | undefined;
  mayAct: () => boolean;
  /** The index of the leader that this member follows. */
  follows: () => number | undefined;
  /** Has this member lead no more, and not stand for it for so long, ms. */
  leave: (forMs: number) => void;
}

/** How often the leader looks for members that are gone, ms. */
const GONE_EVERY_MS = 30_000;

/** Knows by records and connections who is gone for good, and whether the others reach whoever leads. */
export class RollCall {
  readonly #options: RollCallOptions;
  readonly #reach: Reach;
  #gone = new GoneMembers();
  #records: readonly MemberRecord[] = [];
  #leader: Leader | undefined;
  #life: AbortSignal | undefined;

  constructor(options: RollCallOptions) {
    this.#options = options;
    this.#reach = new Reach(2 * options.ttlMs);
  }

  begin(signal: AbortSignal): void {
    const { clock, leaseMs } = this.#options;
    this.#life = signal;
    const timers = [
      clock.every(GONE_EVERY_MS, () => this.#dropGone()),
      clock.every(leaseMs, () => this.#lookForLink()),
    ];
    const cancel = () => {
      for (const timer of timers) timer.cancel();
    };
    signal.addEventListener('abort', cancel, { once: true });
  }

  /** This member begins to lead. */
  anew(): void {
    this.#gone = new GoneMembers();
  }

  /** Has this one lead no more where no other member reaches it. */
  seen({ leader, members: records }: LockState): void {
    this.#records = records;
    this.#leader = leader;
    const { wire, logger, self, leads, leave } = this.#options;
    const index = leads();
    const by = index === undefined ? [] : this.#reach.missedBy(records, index, wire.members.length);
    if (by.length === 0) return;
    const members = by.join(', ');
    logger.warn({ members, address: self }, 'other members cannot reach this one: it leaves the lead to another one');
    leave(this.#reach.leave());
  }

  /** Takes out records of members that do not come back: every new leader would wait for them. */
  #dropGone(): void {
    const { wire, lock, clock, logger, self, leads, mayAct } = this.#options;
    const life = this.#life;
    if (life === undefined || leads() === undefined || !mayAct()) return;
    const here = new Set([self, ...wire.members.map(({ member }) => member)]);
    for (const member of this.#gone.look(this.#records, here, clock.now())) {
      logger.warn({ member }, 'a member was not here for ten minutes: its record is taken out');
      void lock.leave(member, life).catch(() => undefined);
    }
  }

  /** Says in its record where it has had no connection to the leader for a lease. */
  #lookForLink(): void {
    const { wire, record, leads, follows } = this.#options;
    const { code, source } = wire.trouble ?? {};
    // One that does not lead yet, or no more, is asked again.
    const isLost = leads() === undefined && code !== undefined && code !== 'CLUSTER_UNLED';
    // Of two that refuse each other none is the better leader.
    const isOfUse = source !== 'client' || this.#records.length > 2;
    const leader = isLost && isOfUse && this.#leader?.index === follows() ? this.#leader : undefined;
    record.complain(this.#reach.look(leader, wire.members.length));
  }
}
