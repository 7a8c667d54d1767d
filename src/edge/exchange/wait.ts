import type { HashOn } from '../../model/balancing.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import type { SpanIdentity } from '../../model/traces.ts';
import type { ExchangeFacts } from '../answer/access-record.ts';
import { grpcTimeoutMs, isGrpc } from '../answer/grpc.ts';
import { type OwnAnswer, ownAnswer, retryAfterSeconds } from '../answer/own-answer.ts';
import type { StickyCookie } from '../balance/sticky.ts';
import type { Displacement, Seeker, Waiter } from '../hold/waiter.ts';
import { isNavigation, pageFields, waitingPage } from '../hold/waiting-page.ts';
import { wakeRuleOf } from '../hold/wake-rules.ts';
import type { RequestHead } from '../http1/request.ts';
import type { DeadlineEntry } from '../io/deadlines.ts';
import { holdRefusal } from '../service/admission.ts';
import type { Service } from '../service/service.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { ExchangeContext } from './context.ts';
import type { Downstream } from './downstream.ts';
import type { RequestBuffer } from './request-buffer.ts';
import type { Turns } from './turns.ts';

/** A browser gets the waiting page when the start is not over by then, ms. */
const PAGE_AFTER_MS = 500;

/** The request that waits. */
export interface Waiting extends Seeker {
  readonly client: Downstream;
  readonly facts: ExchangeFacts;
  readonly body: RequestBuffer;
  readonly turns: Turns;
  /** Address of the client. */
  readonly address: string;
  /** It must not wake its service. */
  readonly passive: boolean;
  /** It counts as load of its service. */
  readonly isLoad: boolean;
  /** Its client closed its sending side, and still waits for the answer. */
  readonly isHalfClosed: boolean;
  /** The wait is over, as there is a place for it. @param now the clock's ms */
  onReleased(endpoint: Endpoint, now: number): void;
  refuse(code: RefusalCode): void;
  /** Answers the request in place of a service. */
  respond(answer: OwnAnswer | RefusalCode): void;
}

/** The wait of one request for a start or a slot: it has bounds, a deadline, and a page that may end it sooner. */
export class Wait implements Waiter, DeadlineEntry {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  previousHeld: Waiter | undefined;
  nextHeld: Waiter | undefined;
  readonly #request: Waiting;
  readonly #context: ExchangeContext;
  #service: Service | undefined;
  /** The deadline of the wait, the clock's ms. */
  #ends = 0;
  /** It is the client's own (gRPC). */
  #isOwnDeadline = false;
  /** The client is a browser, which gets the waiting page when the start takes long. */
  #isPageable = false;

  constructor(request: Waiting, context: ExchangeContext) {
    this.#request = request;
    this.#context = context;
  }

  /**
   * Claims what the request needs to wait: a place, and room for its body.
   * @param front the request was dispatched before
   * @returns the answer instead of a wait that is useless or out of bounds; undefined: the request may wait
   */
  claim(service: Service, front: boolean): RefusalCode | OwnAnswer | undefined {
    const { passive, client } = this.#request;
    const asleep = !service.isReady;
    // A request that would not wait anyway is not refused for lack of room.
    if (asleep && (!front || passive) && service.policy.wakeable) {
      const answer = asleepAnswer(service, client.request);
      if (answer !== undefined) return answer;
    }
    const refusal = holdRefusal(service, this.address, front, this.#context);
    if (refusal !== undefined || this.#reserve(service)) return refusal;
    service.statistics.holdRefused('HOLD_BYTES');
    return 'HOLD_BYTES';
  }

  /** Claims room for the body. Where there is too little, waiters that yield first give up theirs. */
  #reserve(service: Service): boolean {
    const { client, body } = this.#request;
    if (body.reserve(service, client.request, client.body.done)) return true;
    for (const each of service.queue.yielding) {
      if (!each.holdsBytes) continue;
      each.yieldPlace('HOLD_BYTES');
      if (body.reserve(service, client.request, client.body.done)) return true;
    }
    return false;
  }

  /** Puts the request in the queue. */
  enter(service: Service, front: boolean): void {
    const { client, facts, body } = this.#request;
    const now = this.#context.clock.now();
    const asleep = !service.isReady;
    this.#service = service;
    facts.cold = facts.cold || asleep;
    if (facts.heldAt === 0) {
      facts.heldAt = now;
      this.#setEnd(now, service);
    }
    this.#isPageable = asleep && service.policy.hold.page === 'auto' && isNavigation(client.request);
    facts.trace?.hold(now);
    this.#arm(now);
    service.hold(this, front);
    if (!body.mayReadOn(client.body.done)) client.pauseReading();
  }

  #setEnd(now: number, service: Service): void {
    const { client, facts } = this.#request;
    const { head } = client.request;
    const given = isGrpc(head.get('content-type')) ? grpcTimeoutMs(head.get('grpc-timeout')) : undefined;
    const own = given === undefined ? Number.POSITIVE_INFINITY : facts.startedAt + given;
    const ours = now + service.state.holdTimeoutMs;
    this.#isOwnDeadline = own < ours;
    this.#ends = Math.min(own, ours);
  }

  /** The request leaves the queue. */
  leave(service: Service): void {
    service.unhold(this);
    this.#request.body.unreserve(service);
    this.#context.deadlines.disarm(this);
    this.#request.facts.trace?.endHold(this.#context.clock.now(), this.#awaited(service));
  }

  /** The span of the start that ended the wait, well or not. */
  #awaited({ lastStart, state, isReady }: Service): SpanIdentity | undefined {
    const { facts } = this.#request;
    if (!facts.cold) return undefined;
    if (lastStart !== undefined && lastStart.heard >= facts.heldAt) return lastStart.span;
    return isReady ? undefined : state.startSpan;
  }

  // ── as the queue sees it ──────────────────────────────────────────────────────────────────────────────────────────

  get passive(): boolean {
    return this.#request.passive;
  }

  get isLoad(): boolean {
    return this.#request.isLoad;
  }

  get startedAt(): number {
    return this.#request.facts.startedAt;
  }

  get action(): string {
    return this.#request.client.request.method;
  }

  get target(): string {
    return this.#request.client.request.target;
  }

  get address(): string {
    return this.#request.address;
  }

  get isHalfClosed(): boolean {
    return this.#request.isHalfClosed;
  }

  get holdsBytes(): boolean {
    return this.#request.body.holdsBytes;
  }

  get avoid(): Endpoint | undefined {
    return this.#request.avoid;
  }

  hashKey(on: HashOn): number | undefined {
    return this.#request.hashKey(on);
  }

  stuckTo(sticky: StickyCookie): Endpoint | undefined {
    return this.#request.stuckTo(sticky);
  }

  refuse(code: RefusalCode): void {
    this.#request.refuse(code);
  }

  release(endpoint: Endpoint): void {
    const service = this.#service as Service;
    const { facts, turns } = this.#request;
    this.leave(service);
    facts.releasedAt = this.#context.clock.now();
    const { lastStart } = service;
    // A wait may also end because a retire was called off, which is no start.
    facts.cold = facts.cold && lastStart !== undefined && lastStart.heard >= facts.heldAt;
    turns.countFrom(this.#countsFrom(service));
    this.#request.onReleased(endpoint, facts.releasedAt);
  }

  queuedMs(now: number): number {
    return now - this.#countsFrom(this.#service as Service);
  }

  /** Since when the wait is for a slot: a start that it waited for does not count. */
  #countsFrom({ lastStart }: Service): number {
    const { facts, turns } = this.#request;
    return facts.cold && lastStart !== undefined ? Math.max(turns.since, lastStart.ready) : turns.since;
  }

  waitForStart(): void {
    const { facts, client } = this.#request;
    facts.cold = true;
    const answer = this.passive ? asleepAnswer(this.#service as Service, client.request) : undefined;
    if (answer !== undefined) this.#request.respond(answer);
  }

  yieldPlace(why: Displacement): void {
    (this.#service as Service).statistics.holdRefused(why);
    // The next request of the same client must not take the place.
    this.#request.client.takeNoMore();
    this.refuse(why);
  }

  // ── deadline ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #arm(now: number): void {
    const page = this.#isPageable ? this.#request.facts.heldAt + PAGE_AFTER_MS : Number.POSITIVE_INFINITY;
    this.#context.deadlines.arm(this, Math.min(page, this.#ends) - now);
  }

  onDeadline(): void {
    const service = this.#service as Service;
    const now = this.#context.clock.now();
    if (now >= this.#ends) {
      service.statistics.holdRefused('HOLD_TIMEOUT');
      this.#request.refuse(this.#isOwnDeadline ? 'HOLD_DEADLINE' : 'HOLD_TIMEOUT');
    } else if (this.#isPageable && !service.isReady) {
      this.#request.respond(waitingAnswer(service, this.#request.client.request.target));
    } else {
      this.#isPageable = false;
      this.#arm(now);
    }
  }
}

/** Returns what the wake rules of a sleeping service answer a request; undefined: the request wakes it. */
function asleepAnswer(service: Service, request: RequestHead): RefusalCode | OwnAnswer | undefined {
  const rule = service.wakeRules.length === 0 ? undefined : wakeRuleOf(service.wakeRules, request);
  if (rule === undefined || rule.then === 'wake') return undefined;
  if (rule.then === 'deny') {
    service.statistics.holdRefused('WAKE_DENIED');
    return 'WAKE_DENIED';
  }
  const state = service.state.starting ? 'waking' : 'asleep';
  const fields = `X-Service-State: ${state}\r\nContent-Type: text/plain; charset=utf-8\r\n`;
  return ownAnswer(rule.status, fields, `${state}\n`);
}

/** Returns the page that a browser shows while it waits for `target`. */
export function waitingAnswer(service: Service, target: string): OwnAnswer {
  const seconds = retryAfterSeconds(service.state.expectedStartMs ?? 2000);
  return ownAnswer(503, pageFields(seconds), waitingPage(service.name, target, seconds));
}
