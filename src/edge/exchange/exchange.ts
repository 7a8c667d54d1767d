import type { AccessRecord } from '../../model/access.ts';
import type { HashOn } from '../../model/balancing.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import { accessRecord, ExchangeFacts } from '../answer/access-record.ts';
import { ALLOW, type OwnAnswer, ownAnswer, refusalAnswer, retryAfterSeconds } from '../answer/own-answer.ts';
import { hashKey } from '../balance/hash-key.ts';
import type { StickyCookie } from '../balance/sticky.ts';
import { coldStartFields } from '../hold/cold-start.ts';
import type { Displacement, Waiter } from '../hold/waiter.ts';
import {
  failedPage,
  isNavigation,
  PAGE_FIELDS,
  PROGRESS_PREFIX,
  pageFields,
  samePlace,
  waitingPage,
} from '../hold/waiting-page.ts';
import { wakeRuleOf } from '../hold/wake-rules.ts';
import { Fault, type FaultText } from '../http1/faults.ts';
import { isOffered } from '../http1/field-lists.ts';
import { Framing, type FramingKind } from '../http1/framing.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { DeadlineEntry } from '../io/deadlines.ts';
import type { CompiledRules } from '../route/compiled-rules.ts';
import type { Redirect } from '../route/redirect.ts';
import type { Route } from '../route/route-compiler.ts';
import { type NoRoute, RouteTable } from '../route/route-table.ts';
import type { Service } from '../service/service.ts';
import type { Opener } from '../service/unproven.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { InFlight } from '../upstream/in-flight.ts';
import { UpstreamConnection, type UpstreamConsumer, type UpstreamFailure } from '../upstream/upstream-connection.ts';
import type { ExchangeContext } from './context.ts';
import type { Downstream } from './downstream.ts';
import { schemeOf } from './forwarding.ts';
import { MAX_WATCHERS, ProgressStream } from './progress-stream.ts';
import { RequestBuffer } from './request-buffer.ts';
import { requestIdOf, upstreamHead } from './request-writer.ts';
import { mayReplay, Retries } from './retries.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Checked } from './stale-check.ts';
import { Turns } from './turns.ts';
import { WebSocketActivity } from './web-socket-activity.ts';

/**
 * `new`: nothing is decided. `verifying`: its password is being checked. `held`: waits for a start or a slot.
 * `connecting`, `sent` (no head of the answer yet), `streaming` (within the answer), `tunnel` (after a 101): has an
 * endpoint. `progress`: feeds a waiting page. `done`: not in use.
 */
type Phase = 'done' | 'new' | 'verifying' | 'held' | 'connecting' | 'sent' | 'streaming' | 'tunnel' | 'progress';

/** A browser gets the waiting page when the start is not over by then, ms. */
const PAGE_AFTER_MS = 500;
/** A client that closed its sending side within an answer is gone when nothing moved for so long, ms. */
const GONE_AFTER_MS = 1000;
/**
 * A client that waits for a 100 gets it from us when the upstream said nothing for so long, ms: those of HTTP/1.0 know
 * none, others ignore what is expected, and some clients wait for ever (RFC 9110 §10.1.1).
 */
const CONTINUE_AFTER_MS = 1000;
/** WebSocket Close frame, unmasked, 1001 "going away" (RFC 6455 §7.4.1). */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/**
 * One request on its way: route → admit → hold → dispatch → send → answer. Read from top to bottom, it is what happens
 * to a request. The object belongs to its client connection and is used again for every request on it.
 */
export class Exchange implements Waiter, Opener, UpstreamConsumer, DeadlineEntry, Checked {
  deadline = 0;
  filed = 0;
  previousHeld: Waiter | undefined;
  nextHeld: Waiter | undefined;
  previousInFlight: InFlight | undefined;
  nextInFlight: InFlight | undefined;

  readonly client: Downstream;
  readonly #context: ExchangeContext;
  readonly #body: RequestBuffer;
  readonly #facts = new ExchangeFacts();
  readonly #retries = new Retries();
  readonly #turns = new Turns();
  method = '';
  requestId = '';
  /** Address of the client, for the bounds per client. */
  address = '';
  /** A wake rule keeps it from waking the service, so it does not keep it awake either. */
  passive = false;
  /** The endpoint that failed this request before. */
  avoid: Endpoint | undefined;
  #phase: Phase = 'done';
  #service: Service | undefined;
  /** Of its route; undefined for most. */
  #rules: CompiledRules | undefined;
  /** Of its route, bytes of its body; 0 = no limit. */
  #maxBody = 0;
  #endpoint: Endpoint | undefined;
  #connection: UpstreamConnection | undefined;
  #lastByteAt = 0;
  /** Of a tunnel in which data alone is activity. */
  #webSocket: WebSocketActivity | undefined;
  #heldAt = 0;
  #holdEnds = 0;
  /** Its client is a browser that gets the waiting page when the start takes long. */
  #pageable = false;
  /** Where it feeds a waiting page. */
  #progress: ProgressStream | undefined;
  /** How long until the client's next request is within its rate, ms. */
  #retryMs = 0;
  /** Its client was told to go on by us. */
  #saidContinue = false;
  /** Its client closed its sending side, and waits for the answer all the same. */
  #halfClosed = false;

  constructor(client: Downstream, context: ExchangeContext) {
    this.client = client;
    this.#context = context;
    this.#body = new RequestBuffer(context);
  }

  get action(): string {
    return this.method;
  }

  get target(): string {
    return this.client.request.target;
  }

  hashKey(on: HashOn): number | undefined {
    return hashKey(on, this.client.request, this.address);
  }

  stuckTo(sticky: StickyCookie): Endpoint | undefined {
    return sticky.endpointOf(this.client.request.head);
  }

  /** When it came, the clock's ms. */
  get startedAt(): number {
    return this.#facts.startedAt;
  }

  get isTunnel(): boolean {
    return this.#phase === 'tunnel';
  }

  /** From when it is the service's, the clock's ms. */
  get since(): number {
    return this.#turns.since;
  }

  /**
   * For how long its endpoint has been waited for without a byte of an answer, ms. Upgrades are not timed, nor is what may
   * not keep it awake.
   */
  waitedMs(now: number): number | undefined {
    if (this.#phase !== 'sent' && this.#phase !== 'connecting') return undefined;
    return this.client.request.upgrade === undefined && !this.passive ? this.#turns.waitedMs(now) : undefined;
  }

  /** Whether it gives its place in the queue up first: its client may as well have left. */
  get isHalfClosed(): boolean {
    return this.#halfClosed;
  }

  /** Since when it is no activity any more, the clock's ms: no byte passed for `streamMs`. Undefined: it is active. */
  quietSince(now: number, streamMs: number): number | undefined {
    if (this.#phase !== 'streaming' && this.#phase !== 'tunnel') return undefined;
    const since = (this.#webSocket?.lastDataAt ?? this.#lastByteAt) + streamMs;
    return now >= since ? since : undefined;
  }

  /**
   * Makes the object anew for the request that the client connection has just parsed.
   * @param now the clock's ms
   */
  prepare(now: number): void {
    this.#phase = 'new';
    this.#service = undefined;
    this.#rules = undefined;
    this.#maxBody = 0;
    this.#endpoint = undefined;
    this.#connection = undefined;
    this.#webSocket = undefined;
    this.avoid = undefined;
    this.passive = false;
    this.method = this.client.request.method;
    this.#facts.begin(now);
    this.#turns.begin(now);
    this.#heldAt = 0;
    this.#retries.begin();
    this.#saidContinue = false;
    this.#halfClosed = this.client.hasEnded;
    this.#body.begin();
  }

  /** Route, then admit. What came of the body so far is buffered. */
  begin(): void {
    const { request } = this.client;
    this.requestId = requestIdOf(this.client, this.#context.requestId);
    if (request.maxForwards === 0) {
      this.#answerWhole(200, ALLOW, '');
      return;
    }
    if (request.target.startsWith(PROGRESS_PREFIX) && this.#openProgress()) return;
    const found = this.#route(request.target, request.pathEnd);
    if (typeof found === 'string') {
      this.refuse(found);
      return;
    }
    const { service, rules } = found;
    this.#service = service;
    this.#maxBody = found.maxBody;
    this.address = this.client.peer.clientOf(this.client.request);
    if (rules === undefined) this.#proceed(service);
    else this.#admit(service, rules);
  }

  #route(target: string, pathEnd: number): Route | NoRoute {
    const routes = this.#context.routes.host(this.client.request.host);
    return routes === undefined ? 'NO_ROUTE' : RouteTable.lookup(routes, target, pathEnd);
  }

  // ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the route asks comes before the service: who is turned away neither wakes it nor keeps it awake. */
  #admit(service: Service, rules: CompiledRules): void {
    this.#rules = rules;
    if (!rules.allows(this.address)) {
      this.refuse('FORBIDDEN');
      return;
    }
    this.#retryMs = rules.limit(this, this.#context.clock.now());
    const admission = this.#retryMs > 0 ? 'RATE_LIMITED' : rules.admit(this);
    if (admission === 'waiting') {
      this.#awaitPassword();
      return;
    }
    if (admission !== 'granted') {
      this.refuse(admission);
      return;
    }
    const redirect = rules.redirectOf(this);
    if (redirect !== undefined) this.#answerRedirect(rules, redirect);
    else this.#proceed(service);
  }

  #answerRedirect(rules: CompiledRules, redirect: Redirect): void {
    const { status, text } = redirect;
    const fields = `Location: ${rules.location(this, redirect)}\r\nContent-Type: text/plain; charset=utf-8\r\n`;
    this.#answerWhole(status, fields, text);
  }

  /** What is to come of the body waits too, so that a flood of guesses holds no more than it has sent already. */
  #awaitPassword(): void {
    this.#phase = 'verifying';
    if (!this.client.body.done) this.client.pauseReading();
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
    // A wait as any other: no replica is slow to connect to for it.
    this.#facts.releasedAt = this.#context.clock.now();
    this.#turns.countFrom(this.#facts.releasedAt);
    // After a reload in between, what was granted may be another route's.
    if (typeof found === 'string' || found.rules !== this.#rules || found.service !== this.#service) this.begin();
    else this.#proceed(found.service);
  }

  /** It may go to the service, and counts from here. */
  #proceed(service: Service): void {
    if (this.#maxBody > 0 && Math.max(this.client.request.length, this.#facts.bytesIn) > this.#maxBody) {
      this.refuse('BODY_TOO_LARGE');
      return;
    }
    this.passive = service.wakeRules.length > 0 && service.isPassive(this.client.request);
    if (this.client.request.upgrade === undefined && !this.passive) service.statistics.arrivals++;
    service.retryBudget.request(this.#facts.startedAt);
    const now = Math.max(this.#facts.startedAt, this.#facts.releasedAt);
    const endpoint = service.queue.size === 0 ? service.pick(this, now) : undefined;
    if (endpoint !== undefined) this.#dispatch(endpoint, now);
    else this.#hold(service, false);
  }

  // ── hold ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Waits for a start or a slot, or is answered at once where waiting is of no use or out of bounds. */
  #hold(service: Service, front: boolean): void {
    const asleep = !service.isReady;
    // What would not wait anyway is not turned away for want of room.
    if (asleep && (!front || this.passive) && service.policy.wakeable && this.#answerAsleep(service)) return;
    const refusal = this.#holdRefusal(service, asleep, front);
    if (refusal !== undefined) {
      this.refuse(refusal);
      return;
    }
    const now = this.#context.clock.now();
    if (!this.#reserve(service)) {
      service.statistics.holdRejected.bytes++;
      this.refuse('HOLD_BYTES');
      return;
    }
    this.#phase = 'held';
    this.#facts.cold = this.#facts.cold || asleep;
    if (this.#heldAt === 0) {
      this.#heldAt = now;
      this.#holdEnds = now + service.state.holdTimeoutMs;
    }
    this.#pageable = asleep && service.policy.hold.page === 'auto' && isNavigation(this.client.request);
    this.#armHold(now);
    service.hold(this, front);
    if (!this.#body.mayReadOn(this.client.body.done)) this.client.pauseReading();
  }

  #holdRefusal(service: Service, asleep: boolean, front: boolean): RefusalCode | undefined {
    const { policy, queue, statistics } = service;
    if (asleep && !policy.wakeable) return 'NO_ENDPOINT';
    // What was accepted before a drain may wait for a slot, but it causes no start.
    if (this.#context.draining && !this.#context.handingOver && (asleep || !front)) return 'DRAINING';
    if (asleep && service.blockedUntil > this.#context.clock.now()) {
      statistics.holdRejected.failed++;
      return 'START_BLOCKED';
    }
    const { max, perClient } = policy.hold;
    if (perClient > 0 && queue.countOf(this.address) >= perClient) {
      queue.firstToYield(this.address)?.yieldPlace('HOLD_CLIENT');
      if (queue.countOf(this.address) >= perClient) {
        statistics.holdRejected.client++;
        return 'HOLD_CLIENT';
      }
    }
    if (queue.size >= max) queue.firstToYield()?.yieldPlace('HOLD_FULL');
    if (queue.size < max) return undefined;
    statistics.holdRejected.full++;
    return 'HOLD_FULL';
  }

  /** Claims room for its body; those who yield theirs first give it up where there is too little. */
  #reserve(service: Service): boolean {
    const { request, body } = this.client;
    if (this.#body.reserve(service, request, body.done)) return true;
    for (const each of service.queue.yielding) {
      if (!each.holdsBytes) continue;
      each.yieldPlace('HOLD_BYTES');
      if (this.#body.reserve(service, request, body.done)) return true;
    }
    return false;
  }

  get holdsBytes(): boolean {
    return this.#body.holdsBytes;
  }

  /** Another request gets its place in the queue. */
  yieldPlace(code: Displacement): void {
    const { holdRejected } = (this.#service as Service).statistics;
    if (code === 'HOLD_FULL') holdRejected.full++;
    else if (code === 'HOLD_CLIENT') holdRejected.client++;
    else holdRejected.bytes++;
    // Nothing that it sent behind it takes the place.
    this.client.takeNoMore();
    this.refuse(code);
  }

  /** Wake rules: some requests for a sleeping service are answered instead of waking it. */
  #answerAsleep(service: Service): boolean {
    const { request } = this.client;
    const rule = service.wakeRules.length === 0 ? undefined : wakeRuleOf(service.wakeRules, request);
    if (rule === undefined || rule.then === 'wake') return false;
    if (rule.then === 'deny') {
      service.statistics.holdRejected.denied++;
      this.refuse('WAKE_DENIED');
      return true;
    }
    const state = service.state.starting ? 'waking' : 'asleep';
    this.#answerWhole(
      rule.status,
      `X-Service-State: ${state}\r\nContent-Type: text/plain; charset=utf-8\r\n`,
      `${state}\n`,
    );
    return true;
  }

  #armHold(now: number): void {
    const page = this.#pageable ? this.#heldAt + PAGE_AFTER_MS : Number.POSITIVE_INFINITY;
    this.#context.deadlines.arm(this, Math.min(page, this.#holdEnds) - now);
  }

  #onHoldDeadline(service: Service): void {
    const now = this.#context.clock.now();
    if (now >= this.#holdEnds) {
      service.statistics.holdRejected.deadline++;
      service.statistics.overloads++;
      this.refuse('HOLD_TIMEOUT');
    } else if (this.#pageable && !service.isReady) {
      this.#showWaitingPage(service, this.client.request.target);
    } else {
      this.#pageable = false;
      this.#armHold(now);
    }
  }

  #showWaitingPage(service: Service, target: string): void {
    const seconds = retryAfterSeconds(service.state.expectedStartMs ?? 2000);
    this.#answerWhole(503, pageFields(seconds), waitingPage(service.name, target, seconds));
  }

  /** There is a place for it: leaves the queue for an endpoint. Called by the release. */
  release(endpoint: Endpoint): void {
    const service = this.#service as Service;
    this.#leaveQueue(service);
    this.#facts.releasedAt = this.#context.clock.now();
    const { lastStart } = service;
    // What ends a wait may be a retire that was called off: no start.
    this.#facts.cold = this.#facts.cold && lastStart !== undefined && lastStart.heard >= this.#heldAt;
    if (this.#facts.cold && lastStart !== undefined)
      this.#turns.countFrom(Math.max(this.#facts.startedAt, lastStart.ready));
    this.#dispatch(endpoint, this.#facts.releasedAt);
  }

  /** It is in the queue, and the last endpoint is gone. */
  waitForStart(): void {
    this.#facts.cold = true;
    if (this.passive) this.#answerAsleep(this.#service as Service);
  }

  #leaveQueue(service: Service): void {
    service.unhold(this);
    this.#body.unreserve(service);
    this.#context.deadlines.disarm(this);
  }

  // ── dispatch ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #dispatch(endpoint: Endpoint, now: number): void {
    this.#endpoint = endpoint;
    this.#facts.endpoint = endpoint;
    this.#phase = 'connecting';
    endpoint.link(this);
    const connection = this.#retries.mayReuse ? endpoint.takeIdle(now) : undefined;
    if (connection === undefined) {
      this.#connect(endpoint);
    } else if (!connection.mayBeStale(now) || (this.client.body.done && this.#mayReplay())) {
      this.#send(connection, now);
    } else {
      this.#connection = connection;
      this.#context.staleCheck.add(this);
    }
  }

  #connect(endpoint: Endpoint): void {
    this.#context.deadlines.arm(this, (this.#service as Service).policy.timeouts.connectMs);
    this.#connection = new UpstreamConnection(endpoint, this);
  }

  #mayReplay(): boolean {
    return mayReplay(this.client.request, (this.#service as Service).policy.retries.idempotent);
  }

  /** What cannot be sent again goes out on a kept connection only after a look at whether the upstream has closed it. */
  onChecked(): void {
    const kept = this.#connection;
    if (this.#phase !== 'connecting' || kept === undefined || kept.phase === 'connecting') return;
    const now = this.#context.clock.now();
    const endpoint = this.#endpoint as Endpoint;
    const connection = kept.usable ? kept : endpoint.takeIdle(now);
    if (connection === undefined) this.#connect(endpoint);
    else this.#send(connection, now);
  }

  onConnected(connection: UpstreamConnection): void {
    const endpoint = this.#endpoint as Endpoint;
    if (!endpoint.isUnproven) {
      this.#send(connection, this.#context.clock.now());
      return;
    }
    // The connect is over; the proof has a limit of its own.
    this.#context.deadlines.disarm(this);
    (this.#service as Service).trust.prove(this, endpoint, connection);
  }

  /** Its connection leads to the replica that it is meant for, or may not: then nothing was written to it. */
  onProven(connection: UpstreamConnection, isProven: boolean): void {
    if (this.#phase !== 'connecting' || this.#connection !== connection) return;
    if (isProven && connection.usable) {
      this.#send(connection, this.#context.clock.now());
      return;
    }
    connection.destroy();
    this.#connection = undefined;
    this.#retry(this.#service as Service, 'CONNECT_REFUSED');
  }

  /** Head and what is there of the body, in one write where it is small. */
  #send(connection: UpstreamConnection, now: number): void {
    const service = this.#service as Service;
    const endpoint = this.#endpoint as Endpoint;
    const { request } = this.client;
    this.#connection = connection;
    this.#retries.reused = connection.uses > 0;
    connection.take(this);
    this.#phase = 'sent';
    this.#retries.written = true;
    this.#facts.connectedAt = now;
    const plain = upstreamHead(this.client, service, endpoint, this.requestId);
    const head = this.#rules === undefined ? plain : this.#rules.requestHead(plain, this);
    const done = this.client.body.done;
    const drained = this.#body.sendAll(connection.socket, head, request.framing, done, this.#requestTrailers());
    if (!this.#mayReplay()) this.#body.forget();
    // A body that is here is no reason to stop reading: the client is still to be seen leaving.
    if (done || drained) this.client.resumeReading();
    else this.client.pauseReading();
    if (!done) this.#turns.upload(now, drained);
    if (done || !drained) this.#awaitUpstream(now);
    else this.#awaitBody(endpoint, now);
  }

  /** The upstream has to take what was sent to it, or to answer: in time. */
  #awaitUpstream(now: number): void {
    this.#context.deadlines.arm(this, (this.#service as Service).policy.timeouts.firstByteMs, now);
  }

  /** The client has to send more: how long that takes is for its connection to watch. */
  #awaitBody(endpoint: Endpoint, now: number): void {
    if (!this.client.awaitsContinue) this.#context.deadlines.disarm(this);
    else if (endpoint.isOld) this.#sayContinue();
    else this.#context.deadlines.arm(this, CONTINUE_AFTER_MS, now);
  }

  #sayContinue(): void {
    this.#saidContinue = true;
    this.client.sayContinue();
  }

  // ── request body ──────────────────────────────────────────────────────────────────────────────────────────────────

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    this.#facts.bytesIn += end - start;
    if (this.#maxBody > 0 && this.#facts.bytesIn > this.#maxBody) {
      this.#abandon('BODY_TOO_LARGE');
      return;
    }
    if (this.#phase !== 'sent' && this.#phase !== 'streaming') {
      this.#body.add(bytes.subarray(start, end));
      if (this.#phase === 'held') {
        if (!this.#body.mayReadOn(this.client.body.done)) this.client.pauseReading();
      } else if (this.#phase === 'connecting' && this.#body.isFull) this.client.pauseReading();
      return;
    }
    const connection = this.#connection as UpstreamConnection;
    const now = this.#context.clock.now();
    this.#lastByteAt = now;
    const piece = bytes.subarray(start, end);
    const { framing } = this.client.request;
    this.#body.keepForReplay(piece);
    const read = this.#isLastOf(bytes, end, framing) ? bytes : undefined;
    const keepsUp = connection.send(piece, framing, read);
    if (!keepsUp) {
      this.client.pauseReading();
      this.#turns.awaitUpstream(now);
    }
    if (this.#phase !== 'sent') return;
    if (keepsUp) this.#context.deadlines.disarm(this);
    else this.#awaitUpstream(now);
  }

  /** Whether no byte of a read is needed any more when the piece of the body that ends at `end` is sent. */
  #isLastOf(read: Buffer, end: number, framing: FramingKind): boolean {
    if (this.#body.isWhole) return false;
    // In a chunked body, the CRLF behind a chunk's data is no piece.
    return end === read.length || (framing === Framing.CHUNKED && end + 2 >= read.length);
  }

  /** The read that brought the head is over: see there. */
  keepBody(): void {
    this.#body.keep();
  }

  onRequestEnd(): void {
    // There is no more to hold back: from here on, reading only tells whether the client is still there.
    this.client.resumeReading();
    if (this.#phase !== 'sent' && this.#phase !== 'streaming') return;
    const connection = this.#connection as UpstreamConnection;
    connection.sendEnd(this.client.request.framing, this.#requestTrailers());
    const now = this.#context.clock.now();
    this.#turns.endUpload(now);
    if (this.#phase === 'sent') this.#awaitUpstream(now);
  }

  #requestTrailers(): string {
    const { trailers } = this.client.body;
    return this.#rules === undefined ? trailers : this.#rules.requestTrailers(trailers);
  }

  onUpstreamDrain(): void {
    this.client.resumeReading();
    if (this.client.body.done) return;
    this.#turns.awaitClient(this.#context.clock.now());
    if (this.#phase === 'sent') this.#context.deadlines.disarm(this);
  }

  /** The body's framing broke: what the upstream got so far must not look whole. */
  onRequestBroken(): void {
    if (this.#phase === 'new') this.requestId = this.#context.requestId();
    this.#abandon('BAD_REQUEST', this.client.body.fault);
  }

  onBodyTimeout(): void {
    this.#abandon('BODY_TIMEOUT');
  }

  /** The request cannot be completed: an answer if none began, else the connection is cut. */
  #abandon(code: RefusalCode, fault?: FaultText): void {
    if (this.#phase === 'streaming') {
      this.#facts.fault = fault;
      this.#truncate('refused');
    } else this.refuse(code, fault);
  }

  // ── response ──────────────────────────────────────────────────────────────────────────────────────────────────────

  onResponseHead(connection: UpstreamConnection): void {
    const { response } = connection;
    const { request } = this.client;
    if (response.status === 101) {
      this.#switch(connection);
      return;
    }
    if (response.status < 200) {
      if (request.old) return;
      if (response.status === 100) {
        // Some clients take a second one for another's.
        if (this.#saidContinue) return;
        this.client.onContinue();
        if (this.#phase === 'sent' && !this.client.body.done) this.#context.deadlines.disarm(this);
      }
      this.#rules?.dropResponseFields(response.head);
      this.client.answer.interim(response);
      return;
    }
    const service = this.#service as Service;
    const endpoint = this.#endpoint as Endpoint;
    const now = this.#context.clock.now();
    const { done } = this.client.body;
    // An answer before the end of the body says nothing of how long answers take.
    const ttfb = done ? this.#turns.waitedMs(now) : undefined;
    this.#phase = 'streaming';
    this.#facts.firstByteAt = now;
    this.#facts.status = response.status;
    this.#lastByteAt = now;
    this.#context.deadlines.arm(this, this.#silenceMs(service), now);
    if (request.upgrade === undefined && !this.passive) {
      service.statistics.firstByte(response.status, ttfb);
      endpoint.recordFirstByte(ttfb);
    }
    endpoint.isOld = response.old;
    if (response.status >= 500 && !this.#turns.clientDelayed(now))
      service.trust.judge(endpoint, 'failure', `status ${response.status}`);
    this.client.answer.head(response, this.#ownFields(response, service));
    service.onFirstByte();
  }

  /** Fields of ours in an answer of the service. */
  #ownFields(response: ResponseHead, service: Service): string {
    // Of when it came, where the service has no clock (RFC 9110 §6.6.1).
    let own = response.hasDate ? '' : `Date: ${this.#context.date()}\r\n`;
    if (!response.hasRequestId) own += `X-Request-Id: ${this.requestId}\r\n`;
    const { via } = service.policy;
    if (via !== undefined) own += `Via: ${response.old ? '1.0' : '1.1'} ${via}\r\n`;
    own += this.#serviceFields(service);
    if (this.#rules === undefined) return own;
    this.#rules.dropResponseFields(response.head);
    return this.#rules.responseFields(own, this);
  }

  #serviceFields(service: Service): string {
    const cold = this.#facts.cold ? this.#coldFields(service) : '';
    const { sticky } = service;
    if (sticky === undefined) return cold;
    const secure = schemeOf(this.client) === 'https';
    return cold + sticky.field(this.client.request.head, this.#endpoint as Endpoint, secure);
  }

  #coldFields(service: Service): string {
    service.statistics.coldRequests++;
    return coldStartFields(service.lastStart, this.#heldAt, this.#facts.releasedAt);
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    this.#lastByteAt = this.#context.clock.now();
    this.#webSocket?.fromService(bytes, start, end, this.#lastByteAt);
    const { answer } = this.client;
    const keepsUp = this.#phase === 'tunnel' ? answer.raw(bytes, start, end) : answer.piece(bytes, start, end);
    if (!keepsUp) this.#holdUp();
  }

  onReadEnd(): void {
    if (!this.client.answer.flush()) this.#holdUp();
  }

  /** The client does not take the answer as fast as it comes. */
  #holdUp(): void {
    if (this.#connection === undefined) return;
    this.#connection.pauseReading();
    this.#turns.awaitClient(this.#lastByteAt);
  }

  onClientDrain(): void {
    this.#lastByteAt = this.#context.clock.now();
    if (this.#connection === undefined) return;
    this.#turns.endWait(this.#lastByteAt);
    this.#connection.resumeReading();
  }

  onResponseEnd(connection: UpstreamConnection): void {
    const { request } = this.client;
    const trailers = request.trailers ? connection.body.trailers : '';
    this.client.answer.end(
      trailers === '' || this.#rules === undefined ? trailers : this.#rules.responseTrailers(trailers),
    );
    const complete = this.client.body.done;
    // A client that reads slowly may have paused it.
    if (connection.phase === 'idle') connection.resumeReading();
    const endpoint = this.#endpoint as Endpoint;
    const now = this.#context.clock.now();
    if (complete && connection.usable) endpoint.putIdle(connection, now);
    else connection.destroy();
    this.#connection = undefined;
    if (this.#facts.status < 500) this.#service?.trust.judge(endpoint, 'success');
    this.#end(now);
  }

  // ── upgrade ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Only what was asked for is switched to, and only after the whole request went up (RFC 9110 §7.8). */
  #switch(connection: UpstreamConnection): void {
    const { request } = this.client;
    const { response } = connection;
    if (!this.client.body.done || !isOffered(response.upgrade, request.upgrade)) {
      this.#service?.trust.onBadAnswer(this.#endpoint as Endpoint, Fault.UNASKED_SWITCH);
      this.refuse('BAD_RESPONSE', Fault.UNASKED_SWITCH);
      return;
    }
    const service = this.#service as Service;
    this.#phase = 'tunnel';
    this.#facts.status = 101;
    connection.tunnel();
    this.#lastByteAt = this.#context.clock.now();
    if (service.policy.activity === 'data' && isWebSocket(request))
      this.#webSocket = new WebSocketActivity(this.#lastByteAt);
    this.#facts.firstByteAt = this.#lastByteAt;
    this.#context.deadlines.arm(this, service.policy.timeouts.tunnelMs);
    let own = response.hasRequestId ? '' : `X-Request-Id: ${this.requestId}\r\n`;
    own += this.#serviceFields(service);
    if (this.#rules !== undefined) {
      this.#rules.dropResponseFields(response.head);
      own = this.#rules.responseFields(own, this);
    }
    this.client.answer.switchProtocols(response, own);
    service.trust.judge(this.#endpoint as Endpoint, 'success');
    service.onFirstByte();
    const early = this.client.takePending();
    if (early !== undefined) this.onClientTunnel(early);
    if (this.client.hasEnded) connection.socket.end();
    this.client.resumeReading();
  }

  onClientTunnel(chunk: Buffer): void {
    this.#lastByteAt = this.#context.clock.now();
    this.#webSocket?.fromClient(chunk, this.#lastByteAt);
    if (this.#connection?.send(chunk, Framing.NONE, chunk) === false) this.client.pauseReading();
  }

  onTunnelEnd(): void {
    this.client.answer.endTunnel();
  }

  // ── failure and retry ─────────────────────────────────────────────────────────────────────────────────────────────

  onUpstreamFailure(connection: UpstreamConnection, failure: UpstreamFailure): void {
    const service = this.#service as Service;
    const endpoint = this.#endpoint as Endpoint;
    if (this.#phase === 'tunnel' && connection.socket.readableEnded) {
      // It had said its last, so nothing broke; the client gets what it has not taken yet.
      this.#connection = undefined;
      this.#end();
      return;
    }
    if (failure === 'want') {
      this.#connection = undefined;
      this.#onWant(service, endpoint, connection.errorCode);
      return;
    }
    if (this.#phase === 'connecting') {
      this.#connection = undefined;
      if (failure !== 'protocol' && failure !== 'reset') service.trust.suspect(endpoint, failure);
      this.#retry(service, failure === 'timeout' ? 'CONNECT_TIMEOUT' : 'CONNECT_REFUSED');
      return;
    }
    // Of a connection that was used before, an end without an answer says nothing but that it was idle too long.
    const idled = this.#retries.reused && this.#phase === 'sent' && failure === 'reset' && !connection.isAnswering;
    const { fault } = connection;
    if (fault !== undefined) service.trust.onBadAnswer(endpoint, fault);
    if (!idled && !this.#turns.clientDelayed(this.#context.clock.now())) {
      service.statistics.resets++;
      const why = fault ?? 'the connection was closed before the end of the answer';
      if (failure !== 'refused') service.trust.judge(endpoint, 'failure', why);
    }
    if (this.#phase === 'tunnel') {
      this.#facts.ending = 'upstream-broke';
      this.client.abort();
    } else if (this.#phase === 'streaming') {
      this.#facts.fault = fault;
      this.#truncate('upstream-broke');
    } else if (failure === 'protocol' || connection.isAnswering) {
      this.#connection = undefined;
      this.refuse(failure === 'protocol' ? 'BAD_RESPONSE' : 'UPSTREAM_RESET', fault);
    } else {
      this.#connection = undefined;
      if (failure === 'refused') service.trust.suspect(endpoint, failure);
      else if (!idled) service.trust.onUnanswered(endpoint);
      this.#retry(service, failure === 'refused' ? 'CONNECT_REFUSED' : 'UPSTREAM_RESET');
    }
  }

  /** There was nothing left here to connect with: idle connections make room. The endpoint has no part in it. */
  #onWant(service: Service, endpoint: Endpoint, errorCode: string): void {
    this.#context.shortage.note(errorCode, endpoint.address);
    if (this.#retries.written || !this.#context.closeIdle()) {
      this.refuse('OUT_OF_RESOURCES');
      return;
    }
    this.#leaveEndpoint(service);
    this.#dispatch(endpoint, this.#context.clock.now());
  }

  /** Tries again on another endpoint, waits for a start, or gives up with `code`. Nothing unsafe is replayed. */
  #retry(service: Service, code: RefusalCode): void {
    const replayable = !this.#retries.written || (this.#body.isWhole && this.#mayReplay());
    const now = this.#context.clock.now();
    const next = replayable ? this.#retries.next(service, code === 'CONNECT_REFUSED', now) : 'none';
    if (next === 'none') {
      this.refuse(code);
      return;
    }
    // A client that belongs to its endpoint is not sent elsewhere for a connection that was idle too long.
    this.#redispatch(service, next === 'race' && service.sticky !== undefined ? undefined : this.#endpoint, now);
  }

  /**
   * Its endpoint turned out to be dead, or is gone: what is not connected to it yet need not wait to be refused. The one
   * that found out has no connection any more: it is tried again.
   */
  leaveDead(): void {
    const service = this.#service as Service;
    if (this.#phase !== 'connecting' || this.#connection === undefined || !this.#retries.move(service)) return;
    this.#connection.destroy();
    this.#connection = undefined;
    this.#redispatch(service, this.#endpoint, this.#context.clock.now());
  }

  #redispatch(service: Service, avoid: Endpoint | undefined, now: number): void {
    this.avoid = avoid;
    this.#leaveEndpoint(service);
    this.#turns.endUpload(now);
    this.#retries.written = false;
    const endpoint = service.queue.size === 0 ? service.pick(this, now) : undefined;
    if (endpoint !== undefined) this.#dispatch(endpoint, now);
    else this.#hold(service, true);
  }

  /** The answer broke off: the client must see that, so its connection is cut, by a reset where an end would look good. */
  #truncate(ending: AccessRecord['ending'] = 'upstream-broke'): void {
    this.#facts.ending = ending;
    this.client.answer.breakOff();
  }

  /**
   * @param why `retired`: the endpoint is being closed under it (a drain deadline passed, or it is quiet), or the proxy
   *   is. `silent`: nothing passed for too long
   * @param code what it is told where its answer did not begin
   */
  cutOff(why: 'retired' | 'silent', code: RefusalCode = 'UPSTREAM_RESET'): void {
    const service = this.#service as Service;
    if (this.#phase === 'tunnel') {
      if (isWebSocket(this.client.request)) this.client.answer.write(GOING_AWAY);
      this.#facts.ending = why;
      this.#connection?.destroy();
      this.#connection = undefined;
      this.#end();
    } else if (this.#phase === 'streaming') {
      this.#connection?.destroy();
      this.#connection = undefined;
      this.#leaveEndpoint(service);
      this.#truncate(why);
    } else {
      this.refuse(code);
    }
  }

  onDeadline(): void {
    const service = this.#service as Service;
    switch (this.#phase) {
      case 'held':
        this.#onHoldDeadline(service);
        break;
      case 'connecting':
        this.#connection?.destroy();
        this.#connection = undefined;
        service.trust.suspect(this.#endpoint as Endpoint, 'timeout');
        this.#retry(service, 'CONNECT_TIMEOUT');
        break;
      case 'sent':
        if (this.client.awaitsContinue) {
          this.#sayContinue();
          break;
        }
        service.statistics.overloads++;
        service.trust.judge(this.#endpoint as Endpoint, 'failure', 'no answer in time');
        this.refuse('FIRST_BYTE_TIMEOUT');
        break;
      case 'streaming':
      case 'tunnel':
        this.#onSilence(service);
        break;
    }
  }

  /** A stream or tunnel is cut when nothing passed for so long. */
  #onSilence(service: Service): void {
    const isLeft = this.#phase === 'streaming' && this.client.hasEnded && !service.policy.allowHalfOpen;
    const limit = this.#silenceMs(service);
    const left = this.#lastByteAt + limit - this.#context.clock.now();
    if (left > 0) this.#context.deadlines.arm(this, left);
    else if (!isLeft) this.cutOff('silent');
    else if (this.client.answer.isBehind) this.#context.deadlines.arm(this, limit);
    else this.client.abort();
  }

  /** How long nothing may pass: less within an answer when its client may be gone, and little when it probably is. */
  #silenceMs({ policy }: Service): number {
    const { streamMs, tunnelMs } = policy.timeouts;
    if (this.#phase === 'tunnel' || !this.client.hasEnded || policy.allowHalfOpen) return tunnelMs;
    return this.#halfClosed ? Math.min(streamMs, tunnelMs) : GONE_AFTER_MS;
  }

  // ── client leaves ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The client's FIN: in a tunnel it is passed on. Right behind the request it is a half-close, and so it always is where
   * the service says so: the client waits for its answer (RFC 9112 §9.6). Else before the answer it is an abort; within an
   * answer it may be either: what still flows goes to the client, whose reset would tell; an answer that rests, such as an
   * event stream, would be kept up for nobody. What it sent behind is answered after a half-close only.
   * @param isBehind whether it came right behind the last bytes
   */
  onClientEnd(isBehind: boolean): void {
    if (this.#phase === 'tunnel') {
      this.#connection?.socket.end();
    } else if (!this.client.body.done) {
      this.client.abort();
    } else if (this.#phase === 'streaming') {
      const service = this.#service as Service;
      this.#halfClosed = isBehind;
      this.#context.deadlines.arm(this, this.#silenceMs(service));
    } else if (isBehind || this.#service?.policy.allowHalfOpen === true) {
      this.#halfClosed = true;
      if (this.#phase === 'held') this.#service?.queue.mark(this);
    } else {
      this.client.abort();
    }
  }

  /** The client's connection is gone: nothing of this request goes on. `stalled`: it was cut, as it took nothing. */
  onClientGone(stalled: boolean): void {
    const service = this.#service;
    if (this.#phase === 'progress') {
      this.#progress?.close();
      this.#progress = undefined;
      this.#phase = 'done';
      return;
    }
    if (this.#phase === 'done') return;
    const isOver = this.#phase === 'tunnel' && this.#connection?.socket.readableEnded === true;
    if (service !== undefined) {
      if (this.#phase === 'held') this.#leaveQueue(service);
      this.#connection?.destroy();
      this.#connection = undefined;
      service.statistics.ended(
        this.#facts.status === 0 ? 499 : this.#facts.status,
        this.#context.clock.now() - this.#facts.startedAt,
      );
      this.#leaveEndpoint(service);
    }
    if (this.#facts.status === 0) this.#facts.status = 499;
    if (this.#facts.ending === 'complete' && !isOver) this.#facts.ending = stalled ? 'client-stalled' : 'client-left';
    this.#log(service);
    this.#reset();
  }

  // ── own answers and the end ───────────────────────────────────────────────────────────────────────────────────────

  /** Answers with a refusal, from whatever point before the response began. */
  refuse(code: RefusalCode, fault?: FaultText): void {
    const { request } = this.client;
    this.#facts.refusal = code;
    this.#facts.fault = fault;
    const retryMs = retryAfterMs(code, this.#service, this.#retryMs, this.#context.clock.now());
    const page = this.#failedPage(code, retryMs);
    const answer = refusalAnswer(code, {
      requestId: this.requestId,
      retryAfterMs: retryMs,
      accept: request.head.get('accept'),
      fields: code === 'UNAUTHORIZED' ? this.#rules?.challenge : page === undefined ? undefined : PAGE_FIELDS,
      page,
    });
    this.#facts.ending = 'refused';
    this.#respond(answer);
  }

  /** A browser that goes to what could not be started gets a page to try it again from. */
  #failedPage(code: RefusalCode, retryMs: number | undefined): string | undefined {
    const { request } = this.client;
    const service = this.#service;
    if ((code !== 'START_FAILED' && code !== 'START_BLOCKED') || service?.policy.hold.page !== 'auto') return undefined;
    if (!isNavigation(request)) return undefined;
    return failedPage(service.name, request.target, retryAfterSeconds(retryMs ?? 0), this.requestId);
  }

  #answerWhole(status: number, fields: string, body: string): void {
    this.#respond(ownAnswer(status, fields, body));
  }

  /** Answers in the place of a service, from whatever point before an answer began. */
  #respond(answer: OwnAnswer): void {
    this.#detach();
    this.#facts.status = answer.status;
    this.client.answer.own(answer, this.requestId, this.#context.date());
    this.#end();
  }

  /** Leaves the queue or the endpoint, whichever it is in. */
  #detach(): void {
    const service = this.#service;
    if (service === undefined) return;
    if (this.#phase === 'held') this.#leaveQueue(service);
    this.#connection?.destroy();
    this.#connection = undefined;
    this.#leaveEndpoint(service);
  }

  #leaveEndpoint(service: Service, now: number = this.#context.clock.now()): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return;
    this.#endpoint = undefined;
    endpoint.unlink(this);
    service.onLeft(this, endpoint, now);
  }

  /** Everything is written: counts it, frees the place, and gives the connection back. */
  #end(now: number = this.#context.clock.now()): void {
    const service = this.#service;
    this.#context.deadlines.disarm(this);
    if (service === undefined) {
      this.#context.unrouted.set(this.#facts.status, (this.#context.unrouted.get(this.#facts.status) ?? 0) + 1);
    } else {
      service.statistics.ended(this.#facts.status, now - this.#facts.startedAt);
      this.#leaveEndpoint(service, now);
    }
    this.#log(service);
    this.#reset();
    this.client.finish(now);
  }

  #log(service: Service | undefined): void {
    const { access, clock } = this.#context;
    if (access === undefined) return;
    const facts = this.#facts;
    facts.service = service?.name;
    facts.retries = this.#retries.additional;
    facts.bytesOut = this.client.answer.bytes;
    facts.headOut = this.client.answer.headBytes;
    access.write(accessRecord(this.client, facts, this.requestId, clock.now(), clock.wall()));
  }

  #reset(): void {
    this.#context.deadlines.disarm(this);
    if (this.#phase === 'verifying') this.#rules?.forget(this);
    this.#phase = 'done';
    this.#service = undefined;
    this.#connection = undefined;
    this.#body.begin();
  }

  // ── waiting pages ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The stream that a waiting page listens to. Only while there is something to wait for. */
  #openProgress(): boolean {
    const { request } = this.client;
    const target = request.target.slice(PROGRESS_PREFIX.length);
    const path = target.slice(0, request.pathEnd - PROGRESS_PREFIX.length);
    if (request.method !== 'GET' || !path.startsWith('/')) return false;
    const found = this.#route(path, path.length);
    if (typeof found === 'string' || !found.service.policy.wakeable) return false;
    const { service, rules } = found;
    const isPage = isNavigation(request);
    if (service.isReady && !isPage) return false;
    // Sent on as any other request, it would wake the service.
    const isFull = !isPage && service.watchers.size >= MAX_WATCHERS;
    const refusal =
      rules?.watchRefusal(this.client.peer.clientOf(this.client.request), request.head) ??
      (isFull ? 'HOLD_FULL' : undefined);
    if (refusal !== undefined) {
      this.#rules = rules;
      this.refuse(refusal);
    } else if (isPage) {
      this.#showProgress(service, target);
    } else {
      this.#phase = 'progress';
      const head = ownAnswer(200, ProgressStream.fields, undefined);
      this.client.answer.own(head, this.requestId, this.#context.date());
      this.#progress = new ProgressStream(this.client, service);
      this.#progress.update();
    }
    return true;
  }

  /** For a browser without JavaScript that waits for `target`: how the start goes, or the way there. */
  #showProgress(service: Service, target: string): void {
    if (service.isReady) {
      this.#answerWhole(303, `Location: ${samePlace(target)}\r\n`, '');
    } else if (service.state.starting) {
      this.#showWaitingPage(service, target);
    } else {
      const seconds = retryAfterSeconds(service.blockedUntil - this.#context.clock.now());
      this.#answerWhole(503, pageFields(seconds), failedPage(service.name, target, seconds, this.requestId));
    }
  }
}

function isWebSocket({ upgrade }: RequestHead): boolean {
  return upgrade?.toLowerCase() === 'websocket';
}
