import type { HashOn } from '../../model/balancing.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import { ExchangeFacts } from '../answer/access-record.ts';
import type { OwnAnswer } from '../answer/own-answer.ts';
import { RequestTrace } from '../answer/request-trace.ts';
import { hashKey } from '../balance/hash-key.ts';
import type { StickyCookie } from '../balance/sticky.ts';
import { PROGRESS_PREFIX } from '../hold/waiting-page.ts';
import type { FaultText } from '../http1/faults.ts';
import type { CompiledRules } from '../route/compiled-rules.ts';
import type { Route } from '../route/route-compiler.ts';
import type { Service } from '../service/service.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { Attempt, type Attempted } from './attempt.ts';
import type { ExchangeContext } from './context.ts';
import type { Downstream } from './downstream.ts';
import type { Failure, Verdict } from './failure-policy.ts';
import { redirectAnswer, refusalOf } from './own-answers.ts';
import { ProgressStream, progressOf, watchedBy } from './progress-stream.ts';
import { keepRecords } from './records.ts';
import { RequestBuffer } from './request-buffer.ts';
import { requestIdOf } from './request-writer.ts';
import { Retries } from './retries.ts';
import { answerBeforeRouting, isTooLarge, routeOf, type Unrouted } from './routing.ts';
import type { Transfer } from './transfer.ts';
import type { Turns } from './turns.ts';
import { Wait, type Waiting } from './wait.ts';

/**
 * `new`: nothing is decided. `verifying`: its password is being checked. `held`: it waits for a start or a slot.
 * `dispatched`: it has an endpoint, and the attempt knows how far it got. `progress`: it feeds a waiting page. `done`:
 * the object is not in use.
 */
type Phase = 'done' | 'new' | 'verifying' | 'held' | 'dispatched' | 'progress';

/**
 * One request on its way: route → admit → hold → dispatch → send → answer. From top to bottom, this file tells what
 * happens to a request. The object belongs to one client and serves all its requests, one after the other.
 */
export class Exchange implements Waiting, Attempted {
  readonly client: Downstream;
  readonly facts = new ExchangeFacts();
  readonly body: RequestBuffer;
  readonly retries = new Retries();
  /** Carries bytes between the client and the service while the request is dispatched. */
  readonly transfer: Transfer;
  readonly turns: Turns;
  requestId = '';
  address = '';
  passive = false;
  isLoad = false;
  avoid: Endpoint | undefined;
  isHalfClosed = false;
  service: Service | undefined;
  /** Undefined: none was found, or not yet. */
  route: Route | undefined;
  /** How long the client has to wait until its next request is within its rate, ms. */
  retryMs = 0;
  readonly #context: ExchangeContext;
  readonly #attempt: Attempt;
  /** Made when a request of this client is held for the first time. */
  #wait: Wait | undefined;
  /** The stream that it feeds in phase `progress`. */
  #progress: ProgressStream | undefined;
  #phase: Phase = 'done';

  constructor(client: Downstream, context: ExchangeContext) {
    this.client = client;
    this.#context = context;
    this.body = new RequestBuffer(context);
    this.#attempt = new Attempt(this, context);
    this.transfer = this.#attempt.transfer;
    this.turns = this.#attempt.turns;
  }

  /** Resets the object for a request whose head has just come. @param now the clock's ms */
  prepare(now: number): void {
    this.#phase = 'new';
    this.service = undefined;
    this.route = undefined;
    this.avoid = undefined;
    this.passive = false;
    this.isLoad = false;
    this.isHalfClosed = this.client.hasEnded;
    this.facts.begin(now);
    this.retries.begin();
    this.body.begin();
    this.#attempt.begin(now);
  }

  /** Rules of its route; most routes have none. */
  get rules(): CompiledRules | undefined {
    return this.route?.rules;
  }

  // ── route and admit ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Routes the request, then admits it. The part of the body that is here already is in the buffer. */
  begin(): void {
    const { request, peer } = this.client;
    const { traces } = this.#context;
    if (traces !== undefined) this.facts.trace = new RequestTrace(this.client, traces.sample, this.facts.startedAt);
    this.requestId = requestIdOf(this.client, this.#context.requestId);
    const own = answerBeforeRouting(this.client, this.requestId);
    if (own !== undefined) {
      this.respond(own);
      return;
    }
    if (request.target.startsWith(PROGRESS_PREFIX) && this.#answerProgress()) return;
    const found = this.#route(request.target, request.pathEnd);
    if (typeof found === 'string') {
      this.refuse(found);
      return;
    }
    const { service, rules } = found;
    this.service = service;
    this.route = found;
    this.address = peer.clientOf(request);
    if (rules === undefined) this.#proceed(service);
    else this.#admit(service, rules);
  }

  #route(target: string, pathEnd: number): Route | Unrouted {
    return routeOf(this.client, this.#context.routes, target, pathEnd);
  }

  /** The rules of the route come before the service: a request that they refuse neither wakes it nor keeps it awake. */
  #admit(service: Service, rules: CompiledRules): void {
    if (!rules.allows(this.address, this.client.peer.tls?.client?.subject)) {
      this.refuse('FORBIDDEN');
      return;
    }
    this.retryMs = rules.limit(this, this.#context.clock.now());
    const admission = this.retryMs > 0 ? 'RATE_LIMITED' : rules.admit(this);
    if (admission === 'waiting') {
      // The rest of the body waits too, so that a flood of guesses holds no more than it has sent already.
      this.#phase = 'verifying';
      if (!this.client.body.done) this.client.pauseReading();
      return;
    }
    const redirect = admission === 'granted' ? rules.redirectOf(this) : undefined;
    if (admission !== 'granted') this.refuse(admission);
    else if (redirect === undefined) this.#proceed(service);
    else this.respond(redirectAnswer(redirect, rules.location(this, redirect)));
  }

  onPasswordChecked(granted: boolean): void {
    this.#phase = 'new';
    if (!this.client.body.done) this.client.resumeReading();
    if (!granted) {
      this.refuse('UNAUTHORIZED');
      return;
    }
    const { target, pathEnd } = this.client.request;
    const found = this.#route(target, pathEnd);
    // This is a wait as any other: it must not look as if a replica were slow to connect to.
    this.facts.releasedAt = this.#context.clock.now();
    this.turns.countFrom(this.facts.releasedAt);
    // A reload in between may have changed the route that the password was checked for.
    if (typeof found === 'string' || found.rules !== this.rules || found.service !== this.service) this.begin();
    else this.#proceed(found.service);
  }

  /** The request may go to the service, and counts as its load from here on. */
  #proceed(service: Service): void {
    const { request } = this.client;
    const { startedAt, releasedAt, bytesIn } = this.facts;
    if (isTooLarge(this.route, Math.max(request.length, bytesIn))) {
      this.refuse('BODY_TOO_LARGE');
      return;
    }
    this.passive = service.wakeRules.length > 0 && service.isPassive(request);
    this.isLoad = request.upgrade === undefined && !this.passive;
    service.statistics.requests++;
    if (this.isLoad) service.statistics.arrivals++;
    service.retryBudget.request(startedAt);
    this.#pick(service, false, Math.max(startedAt, releasedAt));
  }

  /** Finds an endpoint or a place in the queue. @param front the request was dispatched before */
  #pick(service: Service, front: boolean, now: number): void {
    const endpoint = service.queue.size === 0 ? service.pick(this, now) : undefined;
    if (endpoint !== undefined) this.#dispatch(service, endpoint, now);
    else this.#hold(service, front);
  }

  hashKey(on: HashOn): number | undefined {
    return hashKey(on, this.client.request, this.address);
  }

  stuckTo(sticky: StickyCookie): Endpoint | undefined {
    return sticky.endpointOf(this.client.request.head);
  }

  // ── hold ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #hold(service: Service, front: boolean): void {
    this.#wait ??= new Wait(this, this.#context);
    const instead = this.#wait.claim(service, front);
    if (instead === undefined) {
      this.#phase = 'held';
      this.#wait.enter(service, front);
    } else this.respond(instead);
  }

  onReleased(endpoint: Endpoint, now: number): void {
    this.#dispatch(this.service as Service, endpoint, now);
  }

  // ── dispatch and send ─────────────────────────────────────────────────────────────────────────────────────────────

  #dispatch(service: Service, endpoint: Endpoint, now: number): void {
    this.#phase = 'dispatched';
    this.facts.endpoint = endpoint;
    this.#attempt.start(service, endpoint, now);
  }

  /** More of the body came; the request may be in any phase. */
  onRequestBody(bytes: Buffer, start: number, end: number): void {
    const { transfer } = this;
    this.facts.bytesIn += end - start;
    if (isTooLarge(this.route, this.facts.bytesIn)) {
      this.#abandon('BODY_TOO_LARGE');
      return;
    }
    if (transfer.takesBody) {
      transfer.sendPiece(bytes, start, end);
      return;
    }
    this.body.add(bytes.subarray(start, end));
    const isEnough =
      this.#phase === 'held'
        ? !this.body.mayReadOn(this.client.body.done)
        : this.#phase === 'dispatched' && this.body.isFull;
    if (isEnough) this.client.pauseReading();
  }

  onRequestEnd(): void {
    // Nothing is held back any more. From here on, reading only tells whether the client is still there.
    this.client.resumeReading();
    if (this.transfer.takesBody) this.transfer.sendEnd();
  }

  /** The body's framing is broken. What the upstream got so far must not look complete. */
  onRequestBroken(): void {
    if (this.#phase === 'new') this.requestId = this.#context.requestId();
    this.#abandon('BAD_REQUEST', this.client.body.fault);
  }

  onBodyTimeout(): void {
    this.#abandon('BODY_TIMEOUT');
  }

  /** The request cannot be completed: refuses it, or breaks off an answer that has begun. */
  #abandon(code: RefusalCode, fault?: FaultText): void {
    if (this.transfer.phase === 'streaming') this.#truncate('refused', fault);
    else this.refuse(code, fault);
  }

  // ── answer, of a service or our own ───────────────────────────────────────────────────────────────────────────────

  /** Answers with a refusal, from whatever point before the answer began. */
  refuse(code: RefusalCode, fault?: FaultText): void {
    this.facts.refusal = code;
    this.facts.fault = fault;
    this.facts.ending = 'refused';
    if (this.isLoad) this.service?.statistics.refused(code);
    this.respond(refusalOf(code, this, this.#context.clock.now()));
  }

  respond(answer: OwnAnswer | RefusalCode): void {
    if (typeof answer === 'string') {
      this.refuse(answer);
      return;
    }
    this.#leave();
    this.facts.status = answer.status;
    this.client.answer.own(answer, this.requestId, this.#context.date());
    this.onDone();
  }

  /** Answers a request of a waiting page for progress. @returns false: it is a request as any other */
  #answerProgress(): boolean {
    const { client } = this;
    const path = watchedBy(client.request);
    const found = path === undefined ? 'NO_ROUTE' : this.#route(path, path.length);
    if (typeof found === 'string') return false;
    const outcome = progressOf(found, client, this.requestId, this.#context.clock.now());
    if (outcome === undefined) return false;
    // A refusal may need the challenge of the route.
    this.route = found;
    if (outcome === 'stream') {
      this.#phase = 'progress';
      this.#progress = ProgressStream.open(client, found.service, this.requestId, this.#context.date());
    } else this.respond(outcome);
    return true;
  }

  /** The answer is written: counts the request, leaves the endpoint, and gives the client back. */
  onDone(now: number = this.#context.clock.now()): void {
    const service = this.service;
    const { status, startedAt } = this.facts;
    if (service === undefined) {
      this.#context.unrouted.set(status, (this.#context.unrouted.get(status) ?? 0) + 1);
    } else {
      service.statistics.ended(status, now - startedAt);
      this.#attempt.leave(now);
    }
    keepRecords(this.#context, this, service?.name);
    this.#reset();
    this.client.finish(now);
  }

  #reset(): void {
    if (this.#phase === 'verifying') this.rules?.forget(this);
    this.#phase = 'done';
    this.service = undefined;
    this.body.begin();
  }

  // ── failure and retry ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Does what the failure policy says; nothing unsafe is sent again. */
  onFailed({ answer, retry }: Verdict, failure: Failure, fault: FaultText | undefined): void {
    const ending = failure === 'timeout' ? 'silent' : 'upstream-broke';
    if (answer === 'farewell') this.#closeTunnel(ending);
    else if (answer === 'cut') this.#truncate(ending, fault);
    else if (retry === 'none' || !this.#retry(retry, answer === 'CONNECT_REFUSED')) this.refuse(answer, fault);
  }

  /** Tries again, or waits for a start. @returns false where neither is possible */
  #retry(where: 'same' | 'other', refused: boolean): boolean {
    const service = this.service as Service;
    const endpoint = this.#attempt.endpoint as Endpoint;
    const now = this.#context.clock.now();
    if (where === 'same') {
      // The proxy had nothing left to connect with, so idle connections make room.
      if (this.retries.written || !this.#context.closeIdle()) return false;
      this.#attempt.leave();
      this.#dispatch(service, endpoint, now);
      return true;
    }
    const next = this.retries.next(service, this, refused, now);
    if (next === 'none') return false;
    // A sticky client stays with its endpoint when only an idle connection was lost.
    this.#redispatch(service, next === 'race' && service.sticky !== undefined ? undefined : endpoint, now);
    return true;
  }

  moveOn(): void {
    const service = this.service as Service;
    if (!this.retries.move(service)) return;
    this.#attempt.drop();
    this.#redispatch(service, this.#attempt.endpoint, this.#context.clock.now());
  }

  #redispatch(service: Service, avoid: Endpoint | undefined, now: number): void {
    this.avoid = avoid;
    this.#attempt.leave();
    this.turns.endAttempt(now);
    this.retries.written = false;
    this.#pick(service, true, now);
  }

  /** The answer broke off, and the client has to see that. */
  #truncate(ending: ExchangeFacts['ending'], fault?: FaultText): void {
    this.facts.ending = ending;
    this.facts.fault = fault;
    this.#leave();
    this.client.answer.breakOff();
  }

  #closeTunnel(ending: ExchangeFacts['ending']): void {
    this.transfer.sayGoingAway();
    this.facts.ending = ending;
    this.#attempt.drop();
    this.onDone();
  }

  cutOff(why: 'retired', code: RefusalCode = 'UPSTREAM_RESET'): void {
    if (this.transfer.isTunnel) this.#closeTunnel(why);
    else if (this.transfer.phase === 'streaming') this.#truncate(why);
    else this.refuse(code);
  }

  // ── client leaves ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The client closed its sending side. A tunnel passes that on. Right behind the request it is a half-close, and where
   * the service says so it always is: the client waits for its answer (RFC 9112 §9.6). Otherwise it is an abort before
   * the answer. Within an answer it may be either: bytes that still flow go to the client, whose reset would tell, but
   * an answer that rests, such as an event stream, would be kept up for nobody.
   * @param isBehind it came right behind the last bytes
   */
  onClientEnd(isBehind: boolean): void {
    const { transfer } = this;
    if (transfer.isTunnel) {
      transfer.passEnd();
    } else if (!this.client.body.done) {
      this.client.abort();
    } else if (transfer.phase === 'streaming') {
      this.isHalfClosed = isBehind;
      transfer.watchSilence();
    } else if (isBehind || this.service?.policy.allowHalfOpen === true) {
      this.isHalfClosed = true;
      if (this.#phase === 'held') this.service?.queue.mark(this.#wait as Wait);
    } else {
      this.client.abort();
    }
  }

  /** The client is gone, and its request ends. `stalled`: we cut it off because it took nothing. */
  onClientGone(stalled: boolean): void {
    const service = this.service;
    if (this.#phase === 'progress') {
      this.#progress?.close();
      this.#phase = 'done';
    }
    if (this.#phase === 'done') return;
    const isOver = this.transfer.isHalfOver;
    const { facts } = this;
    service?.statistics.ended(facts.status === 0 ? 499 : facts.status, this.#context.clock.now() - facts.startedAt);
    this.#leave();
    if (facts.status === 0) facts.status = 499;
    if (facts.ending === 'complete' && !isOver) facts.ending = stalled ? 'client-stalled' : 'client-left';
    keepRecords(this.#context, this, service?.name);
    this.#reset();
  }

  /** Leaves the queue or the endpoint, wherever the request is. */
  #leave(): void {
    const service = this.service;
    if (service === undefined) return;
    if (this.#phase === 'held') this.#wait?.leave(service);
    this.#attempt.drop();
    this.#attempt.leave();
  }

  /** The client's connection closed: takes the deadlines out of the wheel. */
  forget(): void {
    this.#attempt.forget();
    if (this.#wait !== undefined) this.#context.deadlines.forget(this.#wait);
  }
}
