import type { HashOn } from '../../model/balancing.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import type { ExchangeFacts } from '../answer/access-record.ts';
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

/** A browser gets the waiting page when the start is not over by then, ms. */
const PAGE_AFTER_MS = 500;

/** The request that waits. */
export interface Waiting extends Seeker {
  readonly client: Downstream;
  readonly facts: ExchangeFacts;
  readonly body: RequestBuffer;
  /** Address of the client. */
  readonly address: string;
  /** It may not wake its service. */
  readonly passive: boolean;
  /** Its client closed its sending side, and waits for the answer all the same. */
  readonly isHalfClosed: boolean;
  /** The wait is over: there is a place for it. @param now the clock's ms */
  onReleased(endpoint: Endpoint, now: number): void;
  refuse(code: RefusalCode): void;
  /** Answers it in the place of a service. */
  respond(answer: OwnAnswer | RefusalCode): void;
}

/** A request's wait for a start or a slot of a service: its bounds, its deadline, and the page that ends it sooner. */
export class Wait implements Waiter, DeadlineEntry {
  deadline = 0;
  filed = 0;
  previousHeld: Waiter | undefined;
  nextHeld: Waiter | undefined;
  readonly #request: Waiting;
  readonly #context: ExchangeContext;
  #service: Service | undefined;
  /** When it is over, the clock's ms. */
  #ends = 0;
  /** Its client is a browser that gets the waiting page when the start takes long. */
  #isPageable = false;

  constructor(request: Waiting, context: ExchangeContext) {
    this.#request = request;
    this.#context = context;
  }

  /**
   * Claims what the request needs to wait.
   * @param front it was dispatched before
   * @returns what answers it instead, where waiting is of no use or out of bounds; undefined: it may wait
   */
  claim(service: Service, front: boolean): RefusalCode | OwnAnswer | undefined {
    const { passive, client } = this.#request;
    const asleep = !service.isReady;
    // What would not wait anyway is not turned away for want of room.
    if (asleep && (!front || passive) && service.policy.wakeable) {
      const answer = asleepAnswer(service, client.request);
      if (answer !== undefined) return answer;
    }
    const refusal = holdRefusal(service, this.address, front, this.#context);
    if (refusal !== undefined || this.#reserve(service)) return refusal;
    service.statistics.holdRefused('HOLD_BYTES');
    return 'HOLD_BYTES';
  }

  /** Claims room for the body; those who yield theirs first give it up where there is too little. */
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
      this.#ends = now + service.state.holdTimeoutMs;
    }
    this.#isPageable = asleep && service.policy.hold.page === 'auto' && isNavigation(client.request);
    this.#arm(now);
    service.hold(this, front);
    if (!body.mayReadOn(client.body.done)) client.pauseReading();
  }

  /** It leaves the queue. */
  leave(service: Service): void {
    service.unhold(this);
    this.#request.body.unreserve(service);
    this.#context.deadlines.disarm(this);
  }

  // ── as the queue sees it ──────────────────────────────────────────────────────────────────────────────────────────

  get passive(): boolean {
    return this.#request.passive;
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
    const { facts } = this.#request;
    this.leave(service);
    facts.releasedAt = this.#context.clock.now();
    const { lastStart } = service;
    // What ends a wait may be a retire that was called off: no start.
    facts.cold = facts.cold && lastStart !== undefined && lastStart.heard >= facts.heldAt;
    this.#request.onReleased(endpoint, facts.releasedAt);
  }

  waitForStart(): void {
    const { facts, client } = this.#request;
    facts.cold = true;
    const answer = this.passive ? asleepAnswer(this.#service as Service, client.request) : undefined;
    if (answer !== undefined) this.#request.respond(answer);
  }

  yieldPlace(why: Displacement): void {
    (this.#service as Service).statistics.holdRefused(why);
    // Nothing that it sent behind it takes the place.
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
      this.#request.refuse('HOLD_TIMEOUT');
    } else if (this.#isPageable && !service.isReady) {
      this.#request.respond(waitingAnswer(service, this.#request.client.request.target));
    } else {
      this.#isPageable = false;
      this.#arm(now);
    }
  }
}

/** What a sleeping service's wake rules answer a request instead of waking it; undefined: it wakes. */
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

/** The page of a start under way, for a browser that waits for `target`. */
export function waitingAnswer(service: Service, target: string): OwnAnswer {
  const seconds = retryAfterSeconds(service.state.expectedStartMs ?? 2000);
  return ownAnswer(503, pageFields(seconds), waitingPage(service.name, target, seconds));
}
