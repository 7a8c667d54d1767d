import type { RefusalCode } from '../../model/refusals.ts';
import { Fault, type FaultText } from '../http1/faults.ts';
import type { DeadlineEntry } from '../io/deadlines.ts';
import { proxyHeader } from '../io/proxy-header.ts';
import type { Service } from '../service/service.ts';
import type { Opener } from '../service/unproven.ts';
import type { Carrier, UpstreamFailure, UpstreamOpener } from '../upstream/carrier.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { InFlight } from '../upstream/in-flight.ts';
import type { ExchangeContext } from './context.ts';
import { type FailedPhase, type Failure, type Verdict, verdictOn } from './failure-policy.ts';
import { mayReplay } from './retries.ts';
import type { Checked } from './stale-check.ts';
import { Transfer } from './transfer.ts';
import type { TransferOwner, Transferred } from './transferred.ts';
import { Turns } from './turns.ts';

/** The request that is tried. */
export interface Attempted extends Transferred {
  /** It must not keep its service awake. */
  readonly passive: boolean;
  /** The attempt failed, and its connection is closed. @param fault what was broken, if anything */
  onFailed(verdict: Verdict, failure: Failure, fault: FaultText | undefined): void;
  /** Its endpoint is dead, and nothing was written yet: the request may go elsewhere at no cost. */
  moveOn(): void;
  cutOff(why: 'retired', code?: RefusalCode): void;
}

/**
 * One attempt to have a request answered by an endpoint. It reaches the endpoint, counts as in flight there, and judges
 * it when it fails. The object belongs to its exchange, which uses it again for every attempt.
 */
export class Attempt implements InFlight, UpstreamOpener, Opener, TransferOwner, DeadlineEntry, Checked {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  previousInFlight: InFlight | undefined;
  nextInFlight: InFlight | undefined;
  passive = false;
  isLoad = false;
  /** Nothing else that counts as load was in flight on its endpoint when it was dispatched. */
  isCalm = false;
  /** Undefined while there is none. */
  endpoint: Endpoint | undefined;
  /** Tells the service's time from the client's. */
  readonly turns = new Turns();
  readonly transfer: Transfer;
  readonly #request: Attempted;
  readonly #context: ExchangeContext;
  #service: Service | undefined;
  /** It connects, or looks at a kept connection first. */
  #isConnecting = false;
  /** The connection that it waits for or looks at. */
  #opened: Carrier | undefined;

  constructor(request: Attempted, context: ExchangeContext) {
    this.#request = request;
    this.#context = context;
    this.transfer = new Transfer(request, this, this.turns, context);
  }

  /** Begins with a new request. @param now the clock's ms */
  begin(now: number): void {
    this.turns.begin(now);
    this.transfer.begin();
  }

  // ── as its endpoint sees it ───────────────────────────────────────────────────────────────────────────────────────

  get action(): string {
    return this.#request.client.request.method;
  }

  get target(): string {
    return this.#request.client.request.target;
  }

  get startedAt(): number {
    return this.#request.facts.startedAt;
  }

  get since(): number {
    return this.turns.since;
  }

  get isTunnel(): boolean {
    return this.transfer.isTunnel;
  }

  waitedMs(now: number): number | undefined {
    if (!this.#isConnecting && this.transfer.phase !== 'sent') return undefined;
    return this.isLoad ? this.turns.waitedMs(now) : undefined;
  }

  quietSince(now: number, streamMs: number): number | undefined {
    return this.transfer.quietSince(now, streamMs);
  }

  /** A request that is not connected yet need not wait to be refused. The one that found out is tried again anyway. */
  leaveDead(): void {
    if (this.#opened !== undefined) this.#request.moveOn();
  }

  cutOff(why: 'retired', code?: RefusalCode): void {
    this.#request.cutOff(why, code);
  }

  // ── reach the endpoint ────────────────────────────────────────────────────────────────────────────────────────────

  get isConnecting(): boolean {
    return this.#isConnecting;
  }

  /** Goes to an endpoint. @param now the clock's ms */
  start(service: Service, endpoint: Endpoint, now: number): void {
    const { client, passive, isLoad, retries } = this.#request;
    this.#service = service;
    this.endpoint = endpoint;
    this.passive = passive;
    this.isLoad = isLoad;
    this.isCalm = endpoint.load === 0;
    this.#isConnecting = true;
    this.turns.dispatch(now);
    endpoint.link(this);
    this.#request.facts.trace?.attempt(endpoint, now);
    if (isLoad) service.statistics.load.change(1, now);
    const kept = retries.mayReuse ? endpoint.takeOpen(now) : undefined;
    if (kept === undefined) {
      this.#connect(endpoint);
    } else if (!kept.mayBeStale(now) || (client.body.done && mayReplay(client.request, service.policy))) {
      this.#send(kept, now);
    } else {
      this.#opened = kept;
      this.#context.staleCheck.add(this);
    }
  }

  #connect(endpoint: Endpoint): void {
    this.#request.facts.trace?.connecting(this.#context.clock.now());
    this.#context.deadlines.arm(this, (this.#service as Service).policy.timeouts.connectMs);
    const version = endpoint.transport?.proxyProtocol ?? false;
    this.#opened = endpoint.open(this, version ? proxyHeader(version, this.#request.client.peer.ends) : undefined);
  }

  /**
   * A request that cannot be sent again uses a kept connection only after a look at whether the upstream has closed it.
   */
  onChecked(): void {
    const kept = this.#opened;
    if (kept === undefined || kept.phase === 'connecting') return;
    const now = this.#context.clock.now();
    const endpoint = this.endpoint as Endpoint;
    if (!kept.usable) kept.destroy();
    const connection = kept.usable ? kept : endpoint.takeOpen(now);
    if (connection === undefined) this.#connect(endpoint);
    else this.#send(connection, now);
  }

  onConnected(connection: Carrier): void {
    const endpoint = this.endpoint as Endpoint;
    // The connect is over; the proof has a limit of its own.
    this.#context.deadlines.disarm(this);
    if (endpoint.isUnproven) (this.#service as Service).trust.prove(this, endpoint, connection);
    else this.#send(connection, this.#context.clock.now());
  }

  /** The connection leads to the replica that it is meant for, or may not; nothing was written to it yet. */
  onProven(connection: Carrier, isProven: boolean): void {
    if (this.#opened !== connection) return;
    if (isProven && connection.usable) this.#send(connection, this.#context.clock.now());
    else this.fail('unproven', 'connecting');
  }

  #send(connection: Carrier, now: number): void {
    this.#isConnecting = false;
    this.#opened = undefined;
    this.transfer.start(this.#service as Service, this.endpoint as Endpoint, connection, now);
  }

  // ── end ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  onUpstreamFailure(connection: Carrier, failure: UpstreamFailure): void {
    this.noteFailure(connection, failure);
    this.fail(failure, 'connecting', failure === 'tls' ? Fault.HANDSHAKE : connection.fault);
  }

  /** Says why there is no connection, where somebody has to mend that. */
  noteFailure({ errorCode, reason }: Carrier, failure: UpstreamFailure): void {
    const endpoint = this.endpoint as Endpoint;
    if (failure === 'want') this.#context.shortage.note(errorCode, endpoint.address);
    if (reason !== '') (this.#service as Service).trust.onUnreachable(endpoint, reason);
  }

  onDeadline(): void {
    this.fail('timeout', 'connecting');
  }

  /** Judges the endpoint. The request itself decides what becomes of it. */
  fail(failure: Failure, phase: FailedPhase, fault?: FaultText): void {
    const service = this.#service as Service;
    const endpoint = this.endpoint as Endpoint;
    const verdict = verdictOn(failure, phase);
    this.#request.facts.trace?.failed(fault ?? failure);
    this.drop();
    if (fault !== undefined && failure !== 'tls') service.trust.onBadAnswer(endpoint, fault);
    const isReset = verdict.counts === 'resets';
    const isExcused = isReset && this.turns.clientDelayed(this.#context.clock.now());
    if (isReset && !isExcused && !this.passive) service.statistics.resets++;
    if (verdict.endpoint === 'suspected') {
      service.trust.suspect(endpoint, failure === 'timeout' ? 'timeout' : 'refused');
    } else if (verdict.endpoint !== 'spared') {
      if (!isExcused) service.trust.judge(endpoint, 'failure', fault ?? reasonOf(failure));
      if (verdict.endpoint === 'questioned') service.trust.onUnanswered(endpoint);
    }
    this.#request.onFailed(verdict, failure, fault);
  }

  /** Closes its connection. That says nothing about the endpoint. */
  drop(): void {
    this.#opened?.destroy();
    this.#opened = undefined;
    this.transfer.drop();
  }

  /** The attempt is over, or the request goes elsewhere. */
  leave(now: number = this.#context.clock.now()): void {
    const { endpoint } = this;
    if (endpoint === undefined) return;
    this.#isConnecting = false;
    this.#context.deadlines.disarm(this);
    this.transfer.reset();
    this.endpoint = undefined;
    this.#request.facts.trace?.endAttempt(now);
    endpoint.unlink(this);
    const service = this.#service as Service;
    if (this.isLoad) service.statistics.load.change(-1, now);
    service.onLeft(this, endpoint, now);
  }

  /** Takes its deadlines out of the wheel; no other attempt follows. */
  forget(): void {
    this.#context.deadlines.forget(this);
    this.#context.deadlines.forget(this.transfer);
  }
}

function reasonOf(failure: Failure): string {
  return failure === 'timeout' ? 'no answer in time' : 'the connection was closed before the end of the answer';
}
