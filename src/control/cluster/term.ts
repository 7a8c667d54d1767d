import type { MemberRecord } from '../../model/cluster.ts';
import type { Logger } from '../../model/observe.ts';
import { type Clock, sleep, type Timer } from '../../util/clock.ts';
import type { Control } from '../control.ts';
import type { Fence } from './fence.ts';
import { HoldBack } from './hold-back.ts';
import type { ClusterWire } from './wire/cluster-wire.ts';

/** A control plane with what it keeps. */
export interface LedPlane {
  control: Control;
  /** Writes what is kept and gives it to the other members: the next leader goes on with it. */
  share?(): Promise<unknown>;
  release(): Promise<unknown>;
}

/** Builds the control plane of one term. @param edgesKnown settles when the edges that were led before are here, or will not be */
export type OpenPlane = (fence: Fence, edgesKnown: Promise<void>) => Promise<LedPlane>;

interface TermOptions {
  fence: Fence;
  wire: ClusterWire;
  clock: Clock;
  logger: Logger;
  leaseMs: number;
  /** This member's name. */
  self: string;
  /** Those that are known to have had edges. */
  known: readonly MemberRecord[];
}

/** How often what is waited for is looked at, ms. */
const LOOK_MS = 50;

/** One term of this member as the leader: from the first look at what runs to the end. */
export class Term {
  readonly index: number;
  readonly #options: TermOptions;
  readonly #life = new AbortController();
  #opening: Promise<LedPlane> | undefined;
  #plane: LedPlane | undefined;
  #settling: Timer | undefined;
  #isLeading = false;

  constructor(options: TermOptions) {
    this.#options = options;
    this.index = options.fence.index;
  }

  /** The control plane; undefined while it is built, and after the end. */
  get control(): Control | undefined {
    return this.#life.signal.aborted ? undefined : this.#plane?.control;
  }

  /** Builds the control plane, has it look at what runs, and then leads the edges. @param open called once */
  async begin(open: OpenPlane): Promise<void> {
    const { fence, wire, self, known, logger } = this.#options;
    const edgesKnown = Promise.withResolvers<void>();
    this.#opening = open(fence, edgesKnown.promise);
    const plane = await this.#opening;
    if (this.#life.signal.aborted) return;
    this.#plane = plane;
    const { control } = plane;
    const holdBack = new HoldBack();
    const others = known.filter(({ member }) => member !== self);
    for (const { member, index } of others) if (index > 0) control.absent.expect(member);
    wire.relay.lead(
      this.index,
      (edge, link, end) => control.attach(edge, holdBack.wrap(link), holdBack.wrapEnd(end)),
      (edge) => control.absent.lose(edge),
    );
    await control.start(this.#life.signal);
    await this.#settle(control, others);
    holdBack.release();
    this.#isLeading = true;
    edgesKnown.resolve();
    const { names } = control.absent;
    if (names.length > 0 && !this.#life.signal.aborted) {
      logger.warn(
        { members: names.join(', ') },
        'members that the leader before knew are not here: what they may use is kept',
      );
    }
  }

  /** Gives the others what it has learnt, while it still leads. */
  async share(): Promise<void> {
    if (!this.#life.signal.aborted) await this.#plane?.share?.();
  }

  /** What runs, and who is there, is not known yet: edges are told nothing of it. */
  get isSettling(): boolean {
    return !this.#isLeading;
  }

  get hasEnded(): boolean {
    return this.#life.signal.aborted;
  }

  /** Ends it here and touches nothing: replicas are the next leader's. Its files are nobody's when it resolves. */
  async end(): Promise<void> {
    this.#life.abort();
    this.#settling?.cancel();
    const plane = await this.#opening?.catch(() => undefined);
    await plane?.release();
  }

  /** Waits until what runs is known and every known member is here, but no longer than a lease. */
  async #settle(control: Control, others: readonly MemberRecord[]): Promise<void> {
    const { clock, leaseMs, wire } = this.#options;
    const until = clock.now() + leaseMs;
    const { signal } = this.#life;
    let isSettled = false;
    const limit = new AbortController();
    this.#settling = clock.after(leaseMs, () => limit.abort());
    control.settled(AbortSignal.any([limit.signal, signal])).then(
      () => {
        isSettled = true;
      },
      () => undefined,
    );
    const areHere = () => {
      const here = new Set(wire.members.map(({ member }) => member));
      return others.every(({ member, index }) => index === 0 || here.has(member));
    };
    while (!signal.aborted && clock.now() < until && !(isSettled && areHere())) {
      await sleep(clock, LOOK_MS, signal).catch(() => undefined);
    }
    this.#settling.cancel();
  }
}
