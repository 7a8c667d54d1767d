import type { Socket } from 'node:net';
import type { RefusalCode } from '../../model/refusals.ts';
import { type Failure, verdictOn } from '../exchange/failure-policy.ts';
import { Retries } from '../exchange/retries.ts';
import type { DeadlineEntry } from '../io/deadlines.ts';
import { writeCopied } from '../io/joined-write.ts';
import { proxyHeader } from '../io/proxy-header.ts';
import { readShared } from '../io/shared-read.ts';
import { own, type SocketOwner } from '../io/socket-owner.ts';
import { UNRECOGNIZED_NAME } from '../io/tls-alert.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { UpstreamConnection } from '../upstream/upstream-connection.ts';
import type { OpenSession, SessionListener, SessionPeer, TcpContext } from './context.ts';
import { KeptBytes } from './kept-bytes.ts';
import { Opening, type OpeningFault, type OpeningOwner } from './opening.ts';
import { Place, type Placed } from './place.ts';
import { ServiceSide, type ServiceSideOwner } from './service-side.ts';
import { SessionFacts, sessionRecord } from './session-facts.ts';
import { afterEvent, isOpen, type SessionEvent, type SessionPhase } from './session-phase.ts';

/**
 * A client that has nowhere to send to is read from while it has sent less than this, bytes. A read brings 64 KiB at
 * most, and further reads tell when the client leaves.
 */
const KEEP_READING = 16 * 1024;
/** How long a client may go on sending after our FIN before it is cut off, ms: a reset would be all that it sees. */
const LINGER_MS = 2000;
/** A session that lasts for so long has the kernel look whether its client is still there, ms. */
const LASTING_MS = 10_000;

/**
 * One TCP connection of a client on its way: whose is it → where to → hold → connect → splice → end. From top to bottom,
 * this file tells what happens to it. Bytes pass as they are.
 */
export class TcpSession implements OpeningOwner, Placed, ServiceSideOwner, OpenSession, DeadlineEntry, SocketOwner {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  place = 0;
  readonly facts: SessionFacts;
  readonly #socket: Socket;
  readonly #peer: SessionPeer;
  readonly #context: TcpContext;
  readonly #listener: SessionListener;
  readonly #upstream = new ServiceSide(this);
  readonly #kept = new KeptBytes();
  readonly #opening: Opening;
  readonly #retries = new Retries();
  #phase: SessionPhase = 'new';
  /** With the service that it leads to; undefined until that is known. */
  #place: Place | undefined;
  /** The kernel sends small pieces at once. */
  #isPrompt = false;

  constructor(socket: Socket, peer: SessionPeer, context: TcpContext, listener: SessionListener) {
    this.#socket = socket;
    this.#peer = peer;
    this.#context = context;
    this.#listener = listener;
    this.facts = new SessionFacts(context.clock.now());
    this.#opening = new Opening(this, peer, this.#kept, listener);
    readShared(socket, (bytes, size) => this.#onClientBytes(bytes.subarray(0, size)));
    own(socket, this);
    listener.connections.add(this);
    listener.open++;
    if (context.access !== undefined) peer.noteLocalAddress();
    this.#opening.begin();
  }

  #move(event: SessionEvent): void {
    this.#phase = afterEvent(this.#phase, event);
  }

  #arm(ms: number): void {
    this.#context.deadlines.arm(this, ms);
  }

  get address(): string {
    return this.#peer.address;
  }

  get isHalfClosed(): boolean {
    return this.#socket.readableEnded;
  }

  get isSpliced(): boolean {
    return isOpen(this.#phase);
  }

  // ── whose is it, and where to? ────────────────────────────────────────────────────────────────────────────────────

  /** Bytes of the client, which the next read overwrites. */
  #onClientBytes(bytes: Buffer): void {
    if (isOpen(this.#phase)) {
      this.facts.bytesIn += bytes.length;
      this.#toService(bytes);
    } else if (this.#phase === 'proxy-header') {
      this.#opening.readProxyHeader(bytes);
    } else if (this.#phase !== 'closing' && this.#phase !== 'closed') {
      this.#keep(bytes);
    }
  }

  onAwaited(event: 'header-awaited' | 'name-awaited'): void {
    this.#move(event);
    this.#arm(this.#listener.timeouts.headMs);
  }

  onUnknownName(): void {
    this.#socket.write(UNRECOGNIZED_NAME);
    this.refuse('NO_ROUTE');
  }

  /** The session may go to the service, and counts as its load from here on. */
  onLed(name: string): void {
    const service = this.#context.serviceOf(name);
    if (service === undefined) {
      this.refuse('NO_ENDPOINT');
      return;
    }
    service.retryBudget.request(this.facts.startedAt);
    service.statistics.requests++;
    this.#place = new Place(this, service, this.#context);
    this.#pick(this.#place, false);
  }

  /** Finds an endpoint or a place in the queue. @param front it was dispatched before */
  #pick(place: Place, front: boolean): void {
    const { service } = place;
    const now = this.#context.clock.now();
    const endpoint = service.queue.size === 0 ? service.pick(place, now) : undefined;
    if (endpoint !== undefined) this.#dispatch(place, endpoint, now);
    else this.#hold(place, front, now);
  }

  // ── hold ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #hold(place: Place, front: boolean, now: number): void {
    const refusal = place.wait(this.#kept.size, front);
    if (refusal !== undefined) {
      this.refuse(refusal);
      return;
    }
    this.#move('waits');
    this.#arm(this.facts.heldAt + place.service.state.holdTimeoutMs - now);
  }

  /** What a client sends before it has an endpoint is kept, and more of it than a little is not read. */
  #keep(bytes: Buffer): void {
    const refusal = this.#phase === 'held' ? this.#place?.claim(bytes.length) : undefined;
    if (refusal !== undefined) {
      this.refuse(refusal);
      return;
    }
    this.facts.bytesIn += bytes.length;
    this.#kept.add(bytes);
    // A ClientHello has bounds of its own.
    if (this.#phase === 'reading-name') this.#opening.readName();
    else if (this.#kept.size >= KEEP_READING) this.#socket.pause();
  }

  onReleased(endpoint: Endpoint, now: number): void {
    this.#dispatch(this.#place as Place, endpoint, now);
  }

  // ── connect ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #dispatch(place: Place, endpoint: Endpoint, now: number): void {
    const { service } = place;
    this.#move('dispatched');
    place.enter(endpoint, now);
    this.#arm(service.policy.timeouts.connectMs);
    this.#upstream.open(service, endpoint, now);
  }

  onDeadEndpoint(): void {
    const place = this.#place as Place;
    // The one that found out is tried again anyway.
    if (this.#phase !== 'connecting' || !this.#upstream.isOpen || !this.#retries.move(place.service)) return;
    this.#upstream.close();
    this.#goElsewhere(place);
  }

  /** Another endpoint is tried: nothing was sent yet. */
  #goElsewhere(place: Place): void {
    place.avoid = place.endpoint;
    place.leave();
    this.#pick(place, true);
  }

  #onConnectFailed(failure: Failure, connection: UpstreamConnection | undefined): void {
    const place = this.#place as Place;
    const { service } = place;
    const endpoint = place.endpoint as Endpoint;
    const { retry, endpoint: judgement, answer } = verdictOn(failure, 'connecting');
    const now = this.#context.clock.now();
    if (judgement === 'suspected') service.trust.suspect(endpoint, failure === 'timeout' ? 'timeout' : 'refused');
    if (failure === 'want') this.#context.shortage.note(connection?.errorCode ?? '', endpoint.address);
    if (retry === 'same' && this.#context.closeIdle()) {
      this.#upstream.open(service, endpoint, now);
    } else if (retry === 'other' && this.#retries.next(service, undefined, failure === 'refused', now) !== 'none') {
      this.#goElsewhere(place);
    } else {
      this.refuse(answer as RefusalCode);
    }
  }

  // ── splice ────────────────────────────────────────────────────────────────────────────────────────────────────────

  onAccepted(): void {
    const { service, endpoint } = this.#place as Place;
    const { facts } = this;
    this.#move('accepted');
    facts.connectedAt = this.#context.clock.now();
    facts.lastByteAt = facts.connectedAt;
    this.#arm(Math.min(LASTING_MS, service.policy.timeouts.tunnelMs));
    service.trust.judge(endpoint as Endpoint, 'success');
    const { proxyProtocol } = service.policy.upstream ?? {};
    if (proxyProtocol) this.#upstream.write(proxyHeader(proxyProtocol, this.#ends));
    this.#toService(this.#kept.take());
    if (this.#socket.readableEnded) this.onEnd();
  }

  get #ends() {
    const { address: source, port: sourcePort } = this.#peer;
    const { localAddress = '', localPort = 0 } = this.#socket;
    return { source, sourcePort, destination: localAddress.replace(/%.*$/, ''), destinationPort: localPort };
  }

  #toService(bytes: Buffer): void {
    this.#passed(bytes.length, 0);
    if (bytes.length === 0 || this.#upstream.write(bytes)) this.#socket.resume();
    else this.#socket.pause();
  }

  onServiceBytes(bytes: Buffer): void {
    const { facts } = this;
    facts.bytesOut += bytes.length;
    this.#passed(0, bytes.length);
    if (facts.firstByteAt === 0) {
      facts.firstByteAt = facts.lastByteAt;
      this.#place?.service.onFirstByte();
    } else if (!this.#isPrompt) {
      // The first bytes leave at once anyway.
      this.#isPrompt = true;
      this.#socket.setNoDelay(true);
    }
    writeCopied(this.#socket, bytes);
    if (this.#socket.writableLength > 0 && this.#socket.writableNeedDrain) this.#upstream.pauseReading();
  }

  #passed(bytesIn: number, bytesOut: number): void {
    this.facts.lastByteAt = this.#context.clock.now();
    this.#place?.service.statistics.sessions.passed(bytesIn, bytesOut);
  }

  onServiceDrain(): void {
    if (isOpen(this.#phase)) this.#socket.resume();
  }

  onDrain(): void {
    if (isOpen(this.#phase)) this.#upstream.resumeReading();
  }

  // ── one side ends ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The client has ended its side. One that is held still waits for the service, or so it seems. */
  onEnd(): void {
    if (this.#phase === 'held') {
      this.#place?.mark();
    } else if (isOpen(this.#phase)) {
      this.#move('client-end');
      this.#upstream.end();
    } else if (this.#phase === 'proxy-header' || this.#phase === 'reading-name') {
      this.facts.ending = 'client-left';
      this.#finish();
    }
  }

  onServiceEnd(): void {
    this.#move('service-end');
    // Where both have ended and nothing waits, to close it says the same as a FIN.
    if (this.#socket.readableEnded && this.#socket.writableLength === 0) this.#socket.destroy();
    else this.#socket.end();
  }

  onServiceDone(): void {
    this.#over();
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Ends it before it came to a service: by a FIN, as nothing of it was lost on the way. */
  refuse(code: RefusalCode, fault?: OpeningFault): void {
    this.facts.refusal = code;
    this.facts.fault = fault;
    this.facts.ending = 'refused';
    this.#finish();
  }

  /** It has yet to say where it leads, and another gets its place. */
  giveWay(): void {
    this.refuse('CONNECTION_LIMIT');
    this.#socket.destroy();
  }

  cutOff(why: 'retired', code: RefusalCode = 'UPSTREAM_RESET'): void {
    if (this.#phase === 'connecting') {
      this.refuse(code);
    } else {
      this.facts.ending = why;
      this.#finish();
    }
  }

  onServiceFailed(failure: Failure, connection: UpstreamConnection | undefined): void {
    if (this.#phase === 'connecting') {
      this.#onConnectFailed(failure, connection);
      return;
    }
    const isWhole = this.#phase !== 'spliced' && this.#phase !== 'client-ended';
    if (!isWhole) this.facts.ending = 'upstream-broke';
    this.#over();
    // What a service said before it ended its side is whole; else the client must not take it for that.
    if (isWhole) this.#socket.destroySoon();
    else this.#socket.resetAndDestroy();
  }

  /** Ends the session, and lets the client take what was written. What it still sends is dropped. */
  #finish(): void {
    this.#over();
    if (this.#phase === 'closed') return;
    this.#socket.end();
    this.#socket.resume();
    this.#arm(LINGER_MS);
  }

  /** Leaves whatever the session is in, and tells what came of it. */
  #over(): void {
    const { facts } = this;
    const { access, clock, requestId } = this.#context;
    const service = this.#place?.service;
    this.#move('cut');
    this.#opening.leave();
    this.#upstream.close();
    this.#place?.leave();
    this.#kept.take();
    facts.retries = this.#retries.additional;
    (service?.statistics.sessions ?? this.#context.strayed).ended(facts.ending);
    access?.writeSession(sessionRecord(this.#peer, facts, service?.name, requestId(), clock.now(), clock.wall()));
    if (this.#socket.closed) this.#close();
    else this.#arm(this.#listener.timeouts.sendMs);
  }

  /** The client's connection is closed: by its reset, or as the last thing that happens to a session. */
  onClosed(): void {
    this.#listener.connections.delete(this);
    this.#listener.open--;
    this.#peer.leave();
    // The service still has something to take.
    if (this.#phase === 'settling') return;
    if (this.#phase !== 'closing' && this.#phase !== 'closed') {
      this.facts.ending = 'client-left';
      if (isOpen(this.#phase)) this.#upstream.reset();
      this.#over();
    }
    this.#close();
  }

  #close(): void {
    this.#move('lost');
    this.#context.deadlines.forget(this);
  }

  onDeadline(): void {
    switch (this.#phase) {
      case 'proxy-header':
      case 'reading-name':
        this.refuse('HEAD_TIMEOUT');
        break;
      case 'held':
        this.#place?.service.statistics.holdRefused('HOLD_TIMEOUT');
        this.refuse('HOLD_TIMEOUT');
        break;
      case 'connecting':
        this.#upstream.fail('timeout');
        break;
      case 'closing':
        this.#socket.destroy();
        break;
      default:
        this.#lookForSilence();
    }
  }

  /** Ends a session through which no byte passed for long. When it is looked at for the first time, it lasts. */
  #lookForSilence(): void {
    this.#socket.setKeepAlive(true);
    const { tunnelMs } = (this.#place as Place).service.policy.timeouts;
    const left = this.facts.lastByteAt + tunnelMs - this.#context.clock.now();
    if (left > 0) {
      this.#arm(left);
    } else {
      this.facts.ending = 'silent';
      this.#finish();
    }
  }

  drain(handingOver: boolean): void {
    if (handingOver) return;
    if (this.#phase === 'proxy-header' || this.#phase === 'reading-name') this.refuse('DRAINING');
  }

  abort(): void {
    this.#socket.destroy();
  }
}
