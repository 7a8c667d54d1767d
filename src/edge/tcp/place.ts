import type { HashOn } from '../../model/balancing.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import { hash32 } from '../../util/hash32.ts';
import type { Displacement, Waiter } from '../hold/waiter.ts';
import { holdRefusal } from '../service/admission.ts';
import type { Service } from '../service/service.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { InFlight } from '../upstream/in-flight.ts';
import type { TcpContext } from './context.ts';
import type { SessionFacts } from './session-facts.ts';

/** The session that has a place. */
export interface Placed {
  readonly facts: SessionFacts;
  /** Address of the client. */
  readonly address: string;
  /** The client has closed its sending side. */
  readonly isHalfClosed: boolean;
  /** Bytes pass. */
  readonly isSpliced: boolean;
  /** There is an endpoint for it; it has left the queue. */
  onReleased(endpoint: Endpoint, now: number): void;
  refuse(code: RefusalCode): void;
  /** Its endpoint is dead: it goes elsewhere, if it has yet to be connected. */
  onDeadEndpoint(): void;
  cutOff(why: 'retired', code?: RefusalCode): void;
}

/** A session's place with its service, as queue and endpoint see it: it waits, or is in flight on an endpoint. */
export class Place implements Waiter, InFlight {
  previousHeld: Waiter | undefined;
  nextHeld: Waiter | undefined;
  previousInFlight: InFlight | undefined;
  nextInFlight: InFlight | undefined;
  /** Every session wakes its service, and counts as load of it. */
  readonly passive = false;
  readonly isLoad = true;
  readonly isTunnel = true;
  readonly action = 'TCP';
  avoid: Endpoint | undefined;
  readonly service: Service;
  /** While it is in flight there. */
  endpoint: Endpoint | undefined;
  readonly #session: Placed;
  readonly #context: TcpContext;
  #isHeld = false;
  /** Bytes claimed among those that may be held. */
  #claimed = 0;

  constructor(session: Placed, service: Service, context: TcpContext) {
    this.#session = session;
    this.#context = context;
    this.service = service;
  }

  // ── in the queue ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Waits in the queue.
   * @param kept bytes that wait with it
   * @param front it was dispatched before
   * @returns why it may not; undefined: it does
   */
  wait(kept: number, front: boolean): RefusalCode | undefined {
    const { service } = this;
    const { facts, address } = this.#session;
    const refusal = holdRefusal(service, address, front, this.#context) ?? this.claim(kept);
    if (refusal !== undefined) return refusal;
    facts.cold ||= !service.isReady;
    if (facts.heldAt === 0) facts.heldAt = this.#context.clock.now();
    this.#isHeld = true;
    service.hold(this, front);
    return undefined;
  }

  /** Claims so many more of the bytes that may be held. @returns why it cannot; undefined: it has */
  claim(bytes: number): RefusalCode | undefined {
    const { service } = this;
    const context = this.#context;
    const room = Math.min(service.policy.hold.maxBytes - service.heldBytes, context.maxHeldBytes - context.heldBytes);
    if (bytes > room) {
      service.statistics.holdRefused('HOLD_BYTES');
      return 'HOLD_BYTES';
    }
    this.#account(bytes);
    return undefined;
  }

  #account(bytes: number): void {
    this.#claimed += bytes;
    this.service.heldBytes += bytes;
    this.#context.heldBytes += bytes;
  }

  /** The client closed its sending side, and may have left. */
  mark(): void {
    this.service.queue.mark(this);
  }

  #leaveQueue(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.service.unhold(this);
    this.#account(-this.#claimed);
  }

  release(endpoint: Endpoint): void {
    const { facts } = this.#session;
    const { lastStart } = this.service;
    this.#leaveQueue();
    facts.releasedAt = this.#context.clock.now();
    // A wait may also end because a retire was called off, which is no start.
    facts.cold &&= lastStart !== undefined && lastStart.heard >= facts.heldAt;
    this.#session.onReleased(endpoint, facts.releasedAt);
  }

  waitForStart(): void {
    this.#session.facts.cold = true;
  }

  yieldPlace(why: Displacement): void {
    this.service.statistics.holdRefused(why);
    this.refuse(why);
  }

  refuse(code: RefusalCode): void {
    this.#session.refuse(code);
  }

  queuedMs(now: number): number {
    return now - this.#session.facts.heldAt;
  }

  get holdsBytes(): boolean {
    return this.#claimed > 0;
  }

  get isHalfClosed(): boolean {
    return this.#session.isHalfClosed;
  }

  // ── on an endpoint ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Is in flight on an endpoint from now on. */
  enter(endpoint: Endpoint, now: number): void {
    this.endpoint = endpoint;
    this.#session.facts.endpoint = endpoint;
    endpoint.link(this);
    this.service.statistics.load.change(1, now);
  }

  /** Leaves queue or endpoint. */
  leave(): void {
    this.#leaveQueue();
    const { endpoint, service } = this;
    if (endpoint === undefined) return;
    const now = this.#context.clock.now();
    this.endpoint = undefined;
    endpoint.unlink(this);
    service.statistics.load.change(-1, now);
    service.onLeft(this, endpoint, now);
  }

  leaveDead(): void {
    this.#session.onDeadEndpoint();
  }

  cutOff(why: 'retired', code?: RefusalCode): void {
    this.#session.cutOff(why, code);
  }

  /** A session that nobody uses keeps no service awake: its own time-out says when that is, and ends it then, too. */
  quietSince(now: number): number | undefined {
    if (!this.#session.isSpliced) return undefined;
    const since = this.#session.facts.lastByteAt + this.service.policy.timeouts.tunnelMs;
    return now >= since ? since : undefined;
  }

  /** Latency is nothing that a session has. */
  waitedMs(): undefined {}

  // ── what it is ────────────────────────────────────────────────────────────────────────────────────────────────────

  get address(): string {
    return this.#session.address;
  }

  get target(): string {
    return this.#session.facts.serverName ?? this.service.name;
  }

  get startedAt(): number {
    return this.#session.facts.startedAt;
  }

  get since(): number {
    return this.#session.facts.releasedAt || this.startedAt;
  }

  hashKey(on: HashOn): number | undefined {
    return on.kind === 'client' ? hash32(this.address) : undefined;
  }

  stuckTo(): undefined {}
}
