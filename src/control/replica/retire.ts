import type { Clock, Timer } from '../../util/clock.ts';

export type RetireReason =
  | 'idle'
  | 'scale-down'
  /** It is more than the service's share of the budget, and another one is short of its own. */
  | 'given-up'
  /** It is idle, and others need its memory. */
  | 'memory'
  /** An operator asked. */
  | 'by-hand'
  /** An operator wants this one away. */
  | 'drained'
  /** Another one with the present `run` is ready. */
  | 'replaced'
  /** It is about to end, or its host is lost, and another one is ready. */
  | 'leaving'
  /** It stays unhealthy. */
  | 'unhealthy'
  /** The one container that there is must end before it can start with the present `run`. */
  | 'reconfigured'
  /** The service was removed from the configuration, or can be started no more. */
  | 'removed';

/** What was used within this time is in use, and goes to make room for nobody, ms: edges report once a second. */
export const IN_USE_MS = 2000;

/** Whether a request that has nowhere else to go may have a replica back that retires for this. */
export function isRevocable(reason: RetireReason): boolean {
  return reason !== 'removed' && reason !== 'reconfigured' && reason !== 'unhealthy' && reason !== 'leaving';
}

/** Whether nobody needs it gone: it is not stopped as long as somebody who is out of sight may use it. */
export function isVoluntary(reason: RetireReason): boolean {
  return ['idle', 'scale-down', 'given-up', 'memory', 'replaced'].includes(reason);
}

/** Whether a replica that retires for this may be paused in place of being stopped: nobody wants it away. */
export function isPausable(reason: RetireReason): boolean {
  return reason === 'idle' || reason === 'by-hand';
}

interface RetirementOptions {
  clock: Clock;
  reason: RetireReason;
  /** Version of the snapshot that cordons it. */
  version: number;
  /** Edges that got that snapshot while they may have dispatched to it. */
  edges: readonly string[];
  /** How long what is in flight may go on, ms, from the cordon. */
  drainMs: number;
  /** It is not stopped before this is over, however soon it is drained, ms, from the cordon: it is kept in reserve. */
  keepMs: number;
  /** For `idle` and `memory`: activity that ended less than this before the acknowledgement calls it off, ms. */
  idleMs: number;
  /** Whether somebody who is out of sight may use it: it is not stopped then. */
  isOutOfSight: () => boolean;
  /** The replica follows. */
  acknowledged: () => void;
  /** There was activity after all. */
  calledOff: () => void;
  /** Tell the edges to close what is left. */
  close: () => void;
  /** Nothing is in flight any more, or had its time: stop it. */
  stop: () => void;
  /** So many streams are closed because no byte passed for long. */
  quiet: (count: number) => void;
  /** The drain deadline passed with so many requests in flight. */
  forced: (inFlight: number) => void;
  /** An edge did not acknowledge in time. @returns whether it is ended for that: then its end is waited for */
  unresponsive: (edge: string) => boolean;
}

/** An edge has this long to acknowledge a cordon, ms. */
const ACK_MS = 5000;
/** Connections that are closed on our side have this long to say goodbye, ms. */
const CLOSING_MS = 250;
/** How often what keeps it from being stopped is looked at, ms. */
const LOOK_AGAIN_MS = 1000;
/** What an edge says of its idle time may be this much less than expected without activity, ms. */
const IDLE_SLACK_MS = 100;

interface EdgeDrain {
  acknowledged: boolean;
  /** In flight; unknown before the acknowledgement. */
  inFlight: number;
  /** Of these, streams without a byte for long. */
  quiet: number;
}

/** What an edge says when it sends nothing new any more. */
export interface CordonAck {
  version: number;
  inFlight: number;
  quiet: number;
  passive: number;
  idleForMs: number;
}

type Phase = 'cordoned' | 'draining' | 'closing' | 'over';

/**
 * The two-phase end of a ready replica: every edge acknowledges that it sends nothing new, then what is in flight ends
 * or has had its time, then it is stopped. Up to the stop it can be revoked.
 */
export class Retirement {
  readonly reason: RetireReason;
  readonly #options: RetirementOptions;
  readonly #edges: Map<string, EdgeDrain>;
  readonly #ackTimer: Timer;
  #drainTimer: Timer;
  readonly #keepTimer: Timer | undefined;
  #closingTimer: Timer | undefined;
  #lookTimer: Timer | undefined;
  /** When the drain ends, the clock's ms. */
  #deadlineAt: number;
  #isKept: boolean;
  #phase: Phase = 'cordoned';
  /** The drain deadline passed before every edge acknowledged. */
  #isOverdue = false;

  constructor(options: RetirementOptions) {
    this.#options = options;
    this.reason = options.reason;
    this.#edges = new Map(options.edges.map((edge) => [edge, { acknowledged: false, inFlight: 0, quiet: 0 }]));
    this.#ackTimer = options.clock.after(ACK_MS, () => this.#giveUpOnEdges());
    const drainMs = Math.max(options.drainMs, options.keepMs);
    this.#deadlineAt = options.clock.now() + drainMs;
    this.#isKept = options.keepMs > 0;
    if (this.#isKept) this.#keepTimer = options.clock.after(options.keepMs, () => this.#keptForLong());
    this.#drainTimer = options.clock.after(drainMs, () => this.#deadline());
  }

  /** Goes on where no edge has to be waited for; to be called once, after the replica knows of this retirement. */
  begin(): void {
    this.#advance();
  }

  /** Whether a request that has nowhere else to go may have the replica back. */
  get revocable(): boolean {
    return this.#phase !== 'over' && isRevocable(this.reason);
  }

  /** Whether the edges were told to close what is left. */
  get isClosing(): boolean {
    return this.#phase === 'closing';
  }

  /** The drain has no longer than this from now on, ms. */
  hurry(drainMs: number): void {
    const { clock } = this.#options;
    const deadline = clock.now() + drainMs;
    if (this.#isKept || this.#phase === 'over' || this.#phase === 'closing' || deadline >= this.#deadlineAt) return;
    this.#deadlineAt = deadline;
    this.#drainTimer.cancel();
    this.#drainTimer = clock.after(drainMs, () => this.#deadline());
  }

  acknowledge(edge: string, ack: CordonAck): void {
    const drain = this.#edges.get(edge);
    if (drain === undefined || ack.version < this.#options.version || drain.acknowledged) return;
    Object.assign(drain, { acknowledged: true, inFlight: ack.inFlight, quiet: ack.quiet });
    const { reason, idleMs } = this.#options;
    const active =
      ack.inFlight > ack.quiet + ack.passive || ack.idleForMs < idleMs - Math.min(IDLE_SLACK_MS, idleMs / 2);
    if ((reason === 'idle' || reason === 'memory') && active && this.#phase !== 'over') {
      this.#options.calledOff();
      return;
    }
    this.#advance();
  }

  drained(edge: string, message: { version: number; quiet: number }): void {
    const drain = this.#edges.get(edge);
    if (drain === undefined || message.version < this.#options.version) return;
    Object.assign(drain, { acknowledged: true, inFlight: message.quiet, quiet: message.quiet });
    this.#advance();
  }

  /** The edge is gone, and with it what was in flight there: that is its acknowledgement. */
  detached(edge: string): void {
    if (this.#edges.delete(edge)) this.#advance();
  }

  /** An edge that was out of sight is back, and may have gone on sending requests there: its acknowledgement is waited for. */
  returned(edge: string): void {
    this.#edges.set(edge, { acknowledged: false, inFlight: Number.POSITIVE_INFINITY, quiet: 0 });
  }

  /** Ends it here: the replica was revoked, or ended by itself. */
  cancel(): void {
    this.#phase = 'over';
    this.#ackTimer.cancel();
    this.#drainTimer.cancel();
    this.#keepTimer?.cancel();
    this.#closingTimer?.cancel();
    this.#lookTimer?.cancel();
  }

  #advance(): void {
    const drains = [...this.#edges.values()];
    if (this.#phase === 'cordoned' && drains.every(({ acknowledged }) => acknowledged)) {
      this.#phase = 'draining';
      this.#ackTimer.cancel();
      this.#options.acknowledged();
    }
    if (this.#isKept || this.#isHeldBack()) return;
    if (this.#phase === 'draining' && drains.every(({ inFlight, quiet }) => inFlight <= quiet)) {
      const quiet = drains.reduce((sum, drain) => sum + drain.quiet, 0);
      if (quiet === 0) {
        this.#stop();
      } else {
        this.#options.quiet(quiet);
        this.#close();
      }
    } else if (this.#phase === 'draining' && this.#isOverdue) {
      this.#force();
    } else if (this.#phase === 'closing' && drains.every(({ inFlight }) => inFlight === 0)) {
      this.#stop();
    }
  }

  #isHeldBack(): boolean {
    if (this.#phase !== 'draining' || !this.#options.isOutOfSight()) return false;
    this.#lookTimer?.cancel();
    this.#lookTimer = this.#options.clock.after(LOOK_AGAIN_MS, () => this.#advance());
    return true;
  }

  #keptForLong(): void {
    this.#isKept = false;
    this.#advance();
  }

  /** Without an acknowledgement something new may still be sent there: that is waited for, however short the drain. */
  #deadline(): void {
    if (this.#phase === 'cordoned' || this.#isHeldBack()) this.#isOverdue = true;
    else if (this.#phase === 'draining') this.#force();
  }

  #force(): void {
    const inFlight = [...this.#edges.values()].reduce((sum, drain) => sum + drain.inFlight, 0);
    this.#options.forced(inFlight);
    this.#close();
  }

  #close(): void {
    this.#phase = 'closing';
    this.#closingTimer = this.#options.clock.after(CLOSING_MS, () => this.#stop());
    this.#options.close();
  }

  #stop(): void {
    this.cancel();
    this.#options.stop();
  }

  #giveUpOnEdges(): void {
    for (const [edge, { acknowledged }] of [...this.#edges]) {
      if (!acknowledged && !this.#options.unresponsive(edge)) this.#edges.delete(edge);
    }
    this.#advance();
  }
}
