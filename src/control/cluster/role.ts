import type { LockState } from '../../model/cluster.ts';
import { toPilotlightError } from '../../model/errors.ts';
import type { PilotEvent } from '../../model/events.ts';
import { abortedWithin, unlessAborted } from '../../util/abort.ts';
import type { Timer } from '../../util/clock.ts';
import { inTurns } from '../../util/in-turns.ts';
import type { Control } from '../control.ts';
import { Candidacy } from './candidacy.ts';
import type { Fence } from './fence.ts';
import type { Leadership } from './leadership.ts';
import type { MemberOptions } from './member-options.ts';
import { isMember, type MemberEvent, type MemberPhase, nextPhase } from './member-phase.ts';
import { OwnRecord } from './own-record.ts';
import { RollCall } from './roll-call.ts';
import { Term } from './term.ts';

interface RoleOptions extends MemberOptions {
  /** Ends with this member. */
  life: AbortSignal;
  /** Tells everybody who leads. */
  tell: (message: string, data: PilotEvent['data']) => void;
}

/** How long what waits for Consul at the end may take, ms. */
const LEAVE_MS = 2000;
/** How long the others are given what was learnt before the lock is given back, ms. */
const SHARE_MS = 1000;

/**
 * What this member is among the others: the leader for a term, or one that follows whoever leads. Stands for the lead,
 * begins and ends the terms, and gives the lead back.
 */
export class Role {
  readonly #options: RoleOptions;
  readonly #candidacy: Candidacy;
  readonly #record: OwnRecord;
  readonly #rollCall: RollCall;
  readonly #inTurn = inTurns();
  #phase: MemberPhase = { kind: 'new' };
  #term: Term | undefined;
  #state: LockState = { leader: undefined, session: undefined, index: 0, members: [] };
  /** The index of the leader that the edges follow; undefined: none. */
  #followed: number | undefined;
  #steppingDown: Promise<void> | undefined;
  /** Until it stands for the lead again. */
  #waiving: Timer | undefined;

  constructor(options: RoleOptions) {
    const { lock, clock, logger, cluster, self } = options;
    this.#options = options;
    const againMs = cluster.ttlMs / 10;
    this.#record = new OwnRecord({ lock, self: { member: self, address: cluster.advertise }, clock, logger, againMs });
    this.#candidacy = new Candidacy({
      lock,
      clock,
      logger,
      ttlMs: cluster.ttlMs,
      onChange: (before, after) => this.#onChange(before, after),
      onSeen: (state) => this.#onSeen(state),
    });
    this.#rollCall = new RollCall({
      ...options,
      record: this.#record,
      leaseMs: cluster.leaseMs,
      ttlMs: cluster.ttlMs,
      leads: () => (this.#phase.kind === 'waiving' ? undefined : this.#term?.index),
      mayAct: () => this.mayAct,
      follows: () => this.#followed,
      leave: (forMs) => void this.#waive(forMs),
    });
  }

  /** Of this member; undefined while another one leads. */
  get term(): Term | undefined {
    return this.#term;
  }

  get control(): Control | undefined {
    return this.#term?.control;
  }

  /** Lock and members as they were heard of last. */
  get state(): LockState {
    return this.#state;
  }

  /** Why the lock cannot be had or kept; undefined while Consul answers. */
  get trouble(): string | undefined {
    return this.#candidacy.trouble;
  }

  /** Whether it leads, and its right holds. */
  get mayAct(): boolean {
    return this.#candidacy.right !== undefined;
  }

  get isMember(): boolean {
    return isMember(this.#phase);
  }

  /** Others may connect from now on, and it stands for the lead. */
  async begin(): Promise<void> {
    const { wire, cluster, life } = this.#options;
    this.#move({ type: 'began' });
    await wire.listen(cluster.address ?? cluster.advertise);
    await this.#enter(0);
    this.#candidacy.begin();
    this.#rollCall.begin(life);
  }

  /** Another process is this member from now on. */
  async letGo(signal: AbortSignal): Promise<void> {
    await this.#stepDown(signal);
    this.#move({ type: 'handed' });
    await this.#options.wire.unlisten();
    this.#followLeader();
  }

  /** That process came to nothing. */
  resume(): void {
    if (this.#phase.kind !== 'handed') return;
    const { wire, cluster, logger } = this.#options;
    this.#move({ type: 'resumed' });
    this.#candidacy.begin();
    wire.listen(cluster.address ?? cluster.advertise).catch((error: unknown) => {
      logger.error({ code: toPilotlightError(error).code }, `other members cannot reach this one: ${error}`);
    });
  }

  /** Another one leads from here on, if there is one: what is held here may still be woken. */
  beginDrain(): void {
    if (!this.isMember) return;
    this.#move({ type: 'left' });
    const others = this.#options.wire.members.length > 0 || this.#term === undefined;
    if (others) void this.#stepDown(AbortSignal.timeout(LEAVE_MS));
    else this.control?.beginDrain();
  }

  /** Gives the lead back, and takes the record of this member away. @returns false where that was done before */
  async end(signal: AbortSignal): Promise<boolean> {
    if (this.#phase.kind === 'ended') return false;
    const isLast = this.#phase.kind !== 'handed';
    this.#move({ type: 'ended' });
    const { wire, logger } = this.#options;
    await this.#stepDown(signal);
    await wire.close();
    const left = isLast ? this.#record.leave(abortedWithin(LEAVE_MS, signal)) : Promise.resolve();
    await left.catch((error: unknown) => {
      const { code, message } = toPilotlightError(error);
      logger.warn({ code }, `the record of this member stays for a while: ${message}`);
    });
    this.#waiving?.cancel();
    this.#candidacy.close();
    this.#record.close();
    return true;
  }

  #move(event: MemberEvent): void {
    this.#phase = nextPhase(this.#phase, event, this.#options.clock.now());
  }

  // ── who leads ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #onChange(before: Leadership, after: Leadership): void {
    const { logger } = this.#options;
    if (before.state === 'leading' && after.state === 'suspended') {
      logger.warn(
        { index: before.index },
        'the right to lead was not renewed in time: this proxy acts on nothing until it is',
      );
    }
    const led = before.state === 'leading' || before.state === 'suspended' ? before.index : undefined;
    const leads = after.state === 'leading' || after.state === 'suspended' ? after.index : undefined;
    if (led === leads) return;
    // It may be trying to enter itself under that index, for which the end of the term does not wait.
    if (led !== undefined) this.#record.giveUp(led);
    void this.#inTurn(async () => {
      if (led !== undefined) await this.#endTerm(led);
      if (leads !== undefined) await this.#beginTerm(leads);
    }).catch((error: unknown) => logger.error({ err: error }, 'the change of the leader failed'));
  }

  #onSeen(state: LockState): void {
    this.#state = state;
    // Those that are gone without a word are counted until they are forgotten: they may be in use elsewhere.
    const members = new Set([this.#options.self, ...state.members.map(({ member }) => member)]);
    this.#options.wire.relay.setMembers(members.size);
    this.#followLeader();
    if (this.isMember) this.#record.seen(state);
    this.#rollCall.seen(state);
  }

  /** Has the edges follow whoever leads, unless that is this member. */
  #followLeader(): void {
    if (this.#term !== undefined) return;
    const { relay } = this.#options.wire;
    const { leader: known } = this.#state;
    const isOwn = known?.member === this.#options.self && this.#phase.kind !== 'handed';
    const leader = isOwn ? undefined : known;
    if (leader?.index !== this.#followed) relay.follow(leader);
    this.#followed = leader?.index;
    if (leader !== undefined) void this.#enter(leader.index);
  }

  async #enter(index: number): Promise<void> {
    if (this.#phase.kind !== 'ended' && this.#phase.kind !== 'handed') await this.#record.enter(index);
  }

  // ── a term ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #beginTerm(index: number): Promise<void> {
    const { wire, clock, logger, cluster, self, open, secrets, tell } = this.#options;
    const candidacy = this.#candidacy;
    const { leadership } = candidacy;
    const isStill = (leadership.state === 'leading' || leadership.state === 'suspended') && leadership.index === index;
    if (!isStill) return;
    const fence: Fence = {
      index,
      get holds() {
        return candidacy.right === index;
      },
    };
    const known = this.#state.members;
    const term = new Term({ fence, wire, clock, logger, leaseMs: cluster.leaseMs, self, known });
    this.#term = term;
    this.#rollCall.anew();
    tell(`this proxy leads the cluster ${cluster.name}`, { index, leader: self });
    logger.info({ index }, `leads the cluster ${cluster.name}`);
    secrets?.lead(fence);
    await this.#enter(index);
    // In turn with nothing: a term that hangs must not keep its end from coming.
    void term.begin(open).catch((error: unknown) => {
      if (term.hasEnded) return;
      logger.error({ err: error }, 'the control plane of this leader failed: another one may lead');
      void this.#waive(2 * cluster.ttlMs);
    });
  }

  async #endTerm(index: number): Promise<void> {
    const term = this.#term;
    if (term?.index !== index) return;
    this.#term = undefined;
    this.#options.secrets?.resign();
    this.#options.wire.relay.follow(undefined);
    this.#followed = undefined;
    this.#options.logger.warn({ index }, 'this proxy leads no more');
    await term.end();
    this.#followLeader();
  }

  /** Leads no more, and does not stand for the lead for so long, ms. */
  async #waive(forMs: number): Promise<void> {
    this.#move({ type: 'waived', until: this.#options.clock.now() + forMs });
    this.#standAgainLater();
    await this.#candidacy.resign(AbortSignal.timeout(LEAVE_MS));
  }

  #standAgainLater(): void {
    const { clock, life } = this.#options;
    this.#waiving?.cancel();
    if (this.#phase.kind !== 'waiving' || life.aborted) return;
    this.#waiving = clock.after(Math.max(1, this.#phase.until - clock.now()), () => {
      this.#move({ type: 'passed' });
      if (this.#phase.kind === 'standing') this.#candidacy.begin();
      else this.#standAgainLater();
    });
  }

  /** @param signal limits the wait for what is being started or stopped; the lock is given back in any case */
  #stepDown(signal: AbortSignal): Promise<void> {
    this.#steppingDown ??= this.#handBack(signal).finally(() => {
      this.#steppingDown = undefined;
    });
    return this.#steppingDown;
  }

  async #handBack(signal: AbortSignal): Promise<void> {
    const { index } = this.#term ?? {};
    await this.#settleActs(signal);
    if (this.#term !== undefined) {
      await unlessAborted(this.#term.share(), AbortSignal.timeout(SHARE_MS)).catch((error: unknown) => {
        this.#options.logger.warn({ err: error }, 'the other members may lack what was learnt in the last minute');
      });
    }
    await this.#candidacy.resign(AbortSignal.timeout(LEAVE_MS));
    if (index !== undefined) await this.#inTurn(() => this.#endTerm(index));
  }

  /** Lets what is being started or stopped come to its end. */
  async #settleActs(signal: AbortSignal): Promise<void> {
    await this.control?.letGo(() => undefined, abortedWithin(LEAVE_MS, signal)).catch(() => undefined);
  }
}
