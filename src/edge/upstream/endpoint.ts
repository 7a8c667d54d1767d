import type { EndpointCondition } from '../../model/balancing.ts';
import type { EndpointReport } from '../../model/link.ts';
import type { AnswerLimits } from '../../model/settings.ts';
import type { EndpointState, EndpointView } from '../../model/snapshot.ts';
import { hash32 } from '../../util/hash32.ts';
import { Histogram } from '../../util/histogram.ts';
import { hostPort, isSocketPath } from '../../util/host-port.ts';
import { Members } from '../../util/members.ts';
import { Throttle } from '../../util/throttle.ts';
import type { Deadlines } from '../io/deadlines.ts';
import type { Carrier, UpstreamOpener } from './carrier.ts';
import { SessionPool } from './http2/session-pool.ts';
import { type InFlight, oldestMs, waitingAges } from './in-flight.ts';
import { type OutlierState, unjudged } from './outlier.ts';
import { TlsCheck } from './tls-check.ts';
import type { Transport } from './transport.ts';
import { type Destination, type OpenConnection, UpstreamConnection } from './upstream-connection.ts';

/** Bounds on answers to probes and checks. */
const PROBE_LIMITS: AnswerLimits = { head: 65_536, fields: 256, chunkExtensions: 16_384, trailers: 16_384 };
/** Most idle connections kept per endpoint. */
const MAX_IDLE = 512;
/**
 * An idle connection may be used again for so long, ms. This is less than the shortest keep-alive that servers commonly
 * have (5 s in Node), so that our next request rarely meets their close.
 */
const IDLE_MS = 4_000;
/** An endpoint that closes connections without a word is asked for TLS at most this often, ms. */
const ASK_AGAIN_MS = 60_000;

/**
 * What health checks say of an endpoint. `objecting`: its last check got a status under 500 that is not the expected
 * one. It is up, and may object to the check alone (its Host, or missing credentials).
 */
export type EndpointHealth = 'healthy' | 'objecting' | 'unhealthy';

/** Whoever is told what happens to an endpoint. */
export interface EndpointListener {
  /** The last connection to a replica of ours closed unasked. */
  onLost(endpoint: Endpoint): void;
}

/** One address of a service: its connections, what is in flight on it, and its figures. Kept across snapshots by id. */
export class Endpoint implements Destination {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** host:port, as in the access log. */
  readonly address: string;
  /** The same as in a Host field, where a unix socket has no name of its own. */
  readonly authority: string;
  readonly serverName: string | undefined;
  tlsSession: Buffer | undefined;
  /** `gone`: snapshots list it no more; it is forgotten when nothing is in flight on it. */
  state: EndpointState | 'gone';
  weight: number;
  /** Used only when no other endpoint is usable. */
  backup: boolean;
  /** Most requests in flight. */
  maxConnections: number;
  /** Most requests in flight from this edge, where several share it. Owned by the slot client, with the next two. */
  slots = Number.POSITIVE_INFINITY;
  /** Slots that are to be given back as soon as they are free. */
  owedSlots = 0;
  slotEpoch = 0;
  /** Its weight as it counts now; less while it is fresh. */
  share: number;
  /** Since when it counts as fresh, the clock's ms. By default it does not. */
  freshSince = Number.NEGATIVE_INFINITY;
  outlier: OutlierState = unjudged;
  /** Its condition when that was last looked at, and since when; the clock's ms. */
  #condition: EndpointCondition | undefined;
  #conditionSince = 0;
  /** Its last answer was of HTTP/1.0, which has no 100 Continue. */
  isOld = false;
  /** What the checks say; healthy without checks. */
  health: EndpointHealth = 'healthy';
  /** What was wrong with its answers; made at the first fault. */
  #faults: Throttle | undefined;
  #tlsCheck: TlsCheck | undefined;
  #tlsAskedAt = Number.NEGATIVE_INFINITY;
  /** Whether it is among those that get requests now. Owned by the eligibility. */
  isOpen = false;
  /** Owned by the rotation of round-robin. */
  turn = 0;
  /** Bounds on its answers. */
  limits: AnswerLimits = PROBE_LIMITS;
  /** Hash of its address, so that it keeps its keys when the proxy or a replica restarts. */
  readonly hash: number;
  transport: Transport | undefined;
  /** Requests dispatched to it and not ended, tunnels included. */
  inFlight = 0;
  /** Of these, those that may not keep the service awake. */
  passive = 0;
  /** Of these, those that count as load. */
  load = 0;
  /** The first of those in flight; they are linked through `nextInFlight`. */
  first: InFlight | undefined;
  /** It is in doubt, and passed over while there is another, until then; the clock's ms. */
  suspectUntil = 0;
  /** Number of doubts about it so far. */
  doubt = 0;
  /** All its connections closed unasked, or one in use: the next one has to be proven before it is used. */
  isUnproven = false;
  /** How many closed unasked while they were in use. */
  losses = 0;
  /** Its replica is one of ours, so control can tell whether it is still there. */
  isOurs = false;
  /** Whom it tells; undefined: nobody yet. */
  listener: EndpointListener | undefined;
  #answers = 0;
  /** Only requests that came then or later are timed, the clock's ms. */
  #timedFrom = Number.NEGATIVE_INFINITY;
  #ttfb: Histogram | undefined;
  /** Of these, the times of requests that found it calm. */
  #calm: Histogram | undefined;
  /** Version of the snapshot whose cordon was acknowledged; 0 = not cordoned. */
  cordonVersion = 0;
  /** Whether control was told that it is drained. */
  isDrained = false;
  /** Whether a connection to it ever came about. */
  wasReached = false;
  /** All open connections, the idle ones included. */
  readonly connections = new Members<OpenConnection>();
  /** Idle connections, used as a stack: the warmest is used next, and the surplus ages at the bottom. */
  readonly #idle: UpstreamConnection[] = [];
  /** Where HTTP/2 is spoken; made when the first request comes. */
  #sessions: SessionPool | undefined;

  constructor(view: EndpointView) {
    this.id = view.id;
    this.host = view.host;
    this.port = view.port;
    this.address = hostPort(view);
    this.authority = isSocketPath(view.host) ? 'localhost' : this.address;
    this.serverName = view.serverName;
    this.state = view.state;
    this.weight = view.weight;
    this.backup = view.backup ?? false;
    this.maxConnections = limitOf(view);
    this.share = view.weight;
    this.hash = hash32(this.address);
  }

  /** Takes over what a snapshot says of it, except its state. */
  describe(view: EndpointView): void {
    this.weight = view.weight;
    this.backup = view.backup ?? false;
    this.maxConnections = limitOf(view);
    this.isOurs = view.ours === true;
  }

  /** Opens connections in this way from now on. Those that were opened in another way serve nobody else. */
  connectThrough(transport: Transport | undefined): void {
    if (transport === this.transport) return;
    this.transport = transport;
    this.tlsSession = undefined;
    this.closeIdle();
    this.#sessions?.retire();
    this.#sessions = undefined;
  }

  /** @param preface sent before anything else: a PROXY header */
  open(opener: UpstreamOpener, preface?: Buffer): Carrier {
    if (this.transport?.protocol !== 'http2') return new UpstreamConnection(this, opener, preface);
    this.#sessions ??= new SessionPool(this);
    return this.#sessions.open(opener);
  }

  get keepsIdle(): boolean {
    return this.state === 'ready';
  }

  get isHealthy(): boolean {
    return this.health === 'healthy';
  }

  /** Asks whether it speaks TLS, once a minute at most: it closed a fresh connection without a word. */
  askForTls(deadlines: Deadlines, now: number, onTls: () => void): void {
    if (now - this.#tlsAskedAt < ASK_AGAIN_MS) return;
    this.#tlsAskedAt = now;
    this.#tlsCheck = new TlsCheck(this, deadlines, (speaksTls) => {
      this.#tlsCheck = undefined;
      if (speaksTls) onTls();
    });
  }

  /**
   * Counts a fault of an answer.
   * @returns how often it occurred since it was last reported; 0: it is not to be reported now
   */
  noteFault(fault: string, now: number): number {
    this.#faults ??= new Throttle();
    return this.#faults.note(fault, now);
  }

  /** Whether this edge has acknowledged a cordon: nothing is sent here any more. */
  get isCordoned(): boolean {
    return this.cordonVersion !== 0;
  }

  /**
   * Stops requests to it.
   * @param version of the snapshot that cordons it, more than 0
   */
  cordon(version: number): void {
    this.cordonVersion = version;
    this.isDrained = false;
    this.closeIdle();
  }

  uncordon(): void {
    this.cordonVersion = 0;
  }

  /**
   * Doubts it until then: others are chosen, and of ours the next connection has to be proven.
   * @param at the clock's ms
   */
  doubtUntil(at: number): void {
    this.suspectUntil = at;
    this.doubt++;
    this.isUnproven = this.isOurs;
  }

  /** Sends those elsewhere that are still being connected. */
  sendElsewhere(): void {
    let next: InFlight | undefined;
    for (let each = this.first; each !== undefined; each = next) {
      next = each.nextInFlight;
      each.leaveDead();
    }
  }

  /** Ends what is in flight, and closes all connections. */
  close(): void {
    this.closeIdle();
    for (let each = this.first; each !== undefined; each = this.first) each.cutOff('retired');
    this.#tlsCheck?.close();
    for (const connection of this.connections.list()) connection.destroy();
  }

  /** Why it gets no requests although control has declared it ready; undefined: it does. */
  get condition(): EndpointCondition | undefined {
    if (!this.isHealthy) return 'unhealthy';
    return this.outlier.kind === 'ejected' ? 'ejected' : undefined;
  }

  /** Its condition may have changed. */
  noteCondition(now: number): void {
    if (this.condition === this.#condition) return;
    this.#condition = this.condition;
    this.#conditionSince = now;
  }

  /** Takes what a request can be sent on at once; undefined when that has to be opened. */
  takeOpen(now: number): Carrier | undefined {
    return this.#sessions === undefined ? this.takeIdle(now) : this.#sessions.take(now);
  }

  /** Takes the warmest idle connection that can still be used; undefined when there is none. */
  takeIdle(now: number): UpstreamConnection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable && now - connection.idleSince < IDLE_MS) return connection;
      connection.destroy();
    }
    return undefined;
  }

  putIdle(connection: UpstreamConnection, now: number): void {
    const { transport } = connection;
    const isOutdated = transport !== this.transport || transport?.keeps === false;
    if (!connection.usable || isOutdated || this.#idle.length >= MAX_IDLE || !this.keepsIdle) {
      connection.destroy();
      return;
    }
    connection.idleSince = now;
    this.#idle.push(connection);
  }

  forget(connection: UpstreamConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** A connection closed unasked. One that was idle may only have been so for too long. */
  lost(wasIdle: boolean): void {
    if (!this.isOurs) return;
    if (!wasIdle) {
      this.losses++;
      this.isUnproven = true;
    }
    if (this.connections.size === 0) this.listener?.onLost(this);
  }

  /** Closes idle connections that are too old to be used. The oldest are at the bottom. */
  expireIdle(now: number): void {
    this.#sessions?.expireIdle(now);
    let expired = 0;
    while (expired < this.#idle.length && now - (this.#idle[expired] as UpstreamConnection).idleSince >= IDLE_MS)
      expired++;
    if (expired === 0) return;
    for (const connection of this.#idle.splice(0, expired)) connection.destroy();
  }

  /** Closes all idle connections. */
  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
    this.#sessions?.closeIdle();
  }

  get idleCount(): number {
    return this.#idle.length + (this.#sessions?.idleCount ?? 0);
  }

  /** A request was dispatched here. */
  link(dispatched: InFlight): void {
    this.inFlight++;
    if (dispatched.passive) this.passive++;
    if (dispatched.isLoad) this.load++;
    dispatched.previousInFlight = undefined;
    dispatched.nextInFlight = this.first;
    if (this.first !== undefined) this.first.previousInFlight = dispatched;
    this.first = dispatched;
  }

  /** A request ended, or goes elsewhere. */
  unlink(ended: InFlight): void {
    this.inFlight--;
    if (ended.passive) this.passive--;
    if (ended.isLoad) this.load--;
    const { previousInFlight: previous, nextInFlight: next } = ended;
    if (previous === undefined) this.first = next;
    else previous.nextInFlight = next;
    if (next !== undefined) next.previousInFlight = previous;
    ended.previousInFlight = undefined;
    ended.nextInFlight = undefined;
  }

  /**
   * Counts an answer that begins, and takes the time to its first byte for what it says about the endpoint.
   * @param ms undefined: it says nothing
   * @param startedAt when the request came, the clock's ms
   * @param isCalm nothing else that counts as load was in flight here when the request was dispatched
   */
  recordAnswer(ms: number | undefined, startedAt: number, isCalm: boolean): void {
    this.#answers++;
    if (ms === undefined || startedAt < this.#timedFrom) return;
    this.#ttfb ??= new Histogram();
    this.#ttfb.add(ms);
    if (!isCalm) return;
    this.#calm ??= new Histogram();
    this.#calm.add(ms);
  }

  /** Another endpoint shares the requests from now on: what came before says nothing of how it is then. */
  timeAnew(now: number): void {
    this.#timedFrom = now;
    this.#ttfb?.reset();
    this.#calm?.reset();
  }

  /** Returns its figures since the last report, and starts them anew. */
  report(now: number, streamMs: number): EndpointReport {
    const { id, condition, inFlight } = this;
    const answers = this.#answers;
    const ttfb = this.#ttfb?.sparse() ?? [];
    const calm = this.#calm?.sparse() ?? [];
    this.#answers = 0;
    this.#ttfb?.reset();
    this.#calm?.reset();
    return {
      endpoint: id,
      condition,
      conditionMs: condition === undefined ? undefined : now - this.#conditionSince,
      inFlight,
      answers,
      ttfb,
      calm,
      waiting: waitingAges(this.first, this.#timedFrom, now),
      oldestMs: oldestMs(this.first, now, streamMs),
    };
  }
}

/** Most requests in flight; infinite without a limit. */
function limitOf({ maxConnections = 0 }: EndpointView): number {
  return maxConnections === 0 ? Number.POSITIVE_INFINITY : maxConnections;
}
