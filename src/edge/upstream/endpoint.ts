import type { EndpointCondition } from '../../model/balancing.ts';
import type { EndpointReport } from '../../model/link.ts';
import type { AnswerLimits } from '../../model/settings.ts';
import type { EndpointState, EndpointView } from '../../model/snapshot.ts';
import { hash32 } from '../../util/hash32.ts';
import { Histogram, type SparseCounts } from '../../util/histogram.ts';
import { hostPort } from '../../util/host-port.ts';
import { Throttle } from '../../util/throttle.ts';
import type { Deadlines } from '../io/deadlines.ts';
import type { HttpProxyEngine } from './http-proxy-engine.ts';
import type { InFlight } from './in-flight.ts';
import { type OutlierState, unjudged } from './outlier.ts';
import { TlsCheck } from './tls-check.ts';
import type { Destination, UpstreamConnection } from './upstream-connection.ts';

/** What answers may use where no service says: those to probes and checks. */
const DEFAULT_LIMITS: AnswerLimits = { head: 65_536, fields: 256, chunkExtensions: 16_384, trailers: 16_384 };
/** Most idle connections kept per endpoint. */
const MAX_IDLE = 256;
/**
 * How long an idle upstream connection may be used again, ms: under the shortest keep-alive that servers commonly have
 * (5 s in Node), so that the race between its close and our next request stays rare.
 */
const IDLE_MS = 4_000;
/** An endpoint that closes connections without a word is asked for TLS again after this time, ms. */
const ASK_AGAIN_MS = 60_000;

/**
 * What the health checks of an endpoint mean for requests. `objecting`: its last check was answered, with a status under
 * 500 that is not the one asked for: it is up, and may object to nothing but the check (its Host, or that it lacks
 * credentials).
 */
export type EndpointHealth = 'healthy' | 'objecting' | 'unhealthy';

/** How many in flight on an endpoint are no activity. */
export interface Inactive {
  quiet: number;
  /** Of the others, those that may not keep the service awake. */
  passive: number;
}

/** One address of a service: its connections, what is in flight on it, and its figures. Kept across snapshots by id. */
export class Endpoint implements Destination {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** host:port, as in a Host field and the access log. */
  readonly address: string;
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
  /** Its weight as it counts now: less while it is fresh. */
  share: number;
  /** From when it counts as fresh, the clock's ms; not at all by default. */
  freshSince = Number.NEGATIVE_INFINITY;
  outlier: OutlierState = unjudged;
  /** Its last answer was of HTTP/1.0: it says no 100. */
  isOld = false;
  /** What the checks say; without any it is healthy. */
  health: EndpointHealth = 'healthy';
  /** What was wrong with its answers, as soon as something was. */
  #faults: Throttle | undefined;
  #tlsCheck: TlsCheck | undefined;
  #tlsAskedAt = Number.NEGATIVE_INFINITY;
  /** Whether it is among those that get requests now. Owned by the eligibility. */
  isOpen = false;
  /** Owned by the rotation of round-robin. */
  turn = 0;
  /** What its answers may use. */
  limits = DEFAULT_LIMITS;
  /** Of its address: which keys belong to it stays as it is when the proxy or a replica starts again. */
  readonly hash: number;
  /** Set where connections are opened through it instead of by plain sockets. */
  engine: HttpProxyEngine | undefined;
  /** Requests dispatched to it and not ended, tunnels included. */
  inFlight = 0;
  /** Of these, those that may not keep the service awake. */
  passive = 0;
  /** First of those in flight, linked through `nextInFlight`. */
  first: InFlight | undefined;
  /** A connect failed a moment ago: not chosen while there is another, until this time (the clock's ms). */
  suspectUntil = 0;
  /** Counts the doubts about it. */
  doubt = 0;
  /** All connections closed unasked: the next one has to be proven before it is used. */
  isUnproven = false;
  /** Its replica is one of ours: control can tell whether it still is there. */
  isOurs = false;
  /** Called when the last connection to a replica of ours closed unasked. */
  onLost: ((endpoint: Endpoint) => void) | undefined;
  completions = 0;
  ttfb: Histogram | undefined;
  /** Version of the snapshot whose cordon was acknowledged; 0 = not cordoned. */
  cordonVersion = 0;
  /** Whether control was told that nothing active is left on it since. */
  isDrained = false;
  /** Whether a connection to it ever came about. */
  wasReached = false;
  /** All open connections, the idle ones included. */
  readonly connections = new Set<UpstreamConnection>();
  /** Idle connections, used as a stack: the warmest is used next, the surplus ages at the bottom. */
  readonly #idle: UpstreamConnection[] = [];

  constructor(view: EndpointView) {
    this.id = view.id;
    this.host = view.host;
    this.port = view.port;
    this.address = hostPort(view);
    this.state = view.state;
    this.weight = view.weight;
    this.backup = view.backup ?? false;
    this.maxConnections = limitOf(view);
    this.share = view.weight;
    this.hash = hash32(this.address);
  }

  /** Takes over what a snapshot says of it, its state aside. */
  describe(view: EndpointView): void {
    this.weight = view.weight;
    this.backup = view.backup ?? false;
    this.maxConnections = limitOf(view);
    this.isOurs = view.ours === true;
  }

  /** @param limits of its service; undefined: it says nothing */
  limitAnswers(limits: AnswerLimits | undefined): void {
    this.limits = limits ?? DEFAULT_LIMITS;
  }

  /** Connections are opened so from now on; idle ones that were opened in another way are closed. */
  connectThrough(engine: HttpProxyEngine | undefined): void {
    if (engine === this.engine) return;
    this.engine = engine;
    this.closeIdle();
  }

  get isHealthy(): boolean {
    return this.health === 'healthy';
  }

  /** It closed a fresh connection without a word: asks whether it speaks TLS, once a minute at most. */
  askForTls(deadlines: Deadlines, now: number, onTls: () => void): void {
    if (now - this.#tlsAskedAt < ASK_AGAIN_MS) return;
    this.#tlsAskedAt = now;
    this.#tlsCheck = new TlsCheck(this, deadlines, (speaksTls) => {
      this.#tlsCheck = undefined;
      if (speaksTls) onTls();
    });
  }

  /** What is wrong with an answer. @returns how often it was since it was last told; 0: it is not to be told now */
  noteFault(fault: string, now: number): number {
    this.#faults ??= new Throttle();
    return this.#faults.note(fault, now);
  }

  /** Whether this edge has acknowledged that nothing is sent there any more. */
  get isCordoned(): boolean {
    return this.cordonVersion !== 0;
  }

  /** @param version of the snapshot that says so, more than 0 */
  cordon(version: number): void {
    this.cordonVersion = version;
    this.isDrained = false;
    this.closeIdle();
  }

  uncordon(): void {
    this.cordonVersion = 0;
  }

  /** It may be dead: others are chosen until then, and of ours the next connection has to be proven. */
  doubtUntil(at: number): void {
    this.suspectUntil = at;
    this.doubt++;
    this.isUnproven = this.isOurs;
  }

  /** Sends elsewhere what is still being connected to it. */
  sendElsewhere(): void {
    let next: InFlight | undefined;
    for (let each = this.first; each !== undefined; each = next) {
      next = each.nextInFlight;
      each.leaveDead();
    }
  }

  /** Ends what is in flight on it, and its connections. */
  close(): void {
    this.closeIdle();
    for (let each = this.first; each !== undefined; each = this.first) each.cutOff('retired');
    this.#tlsCheck?.close();
    for (const connection of this.connections) connection.destroy();
  }

  /** Why it gets no requests, other than by what control says. */
  get condition(): EndpointCondition | undefined {
    if (!this.isHealthy) return 'unhealthy';
    return this.outlier.kind === 'ejected' ? 'ejected' : undefined;
  }

  /** The warmest idle connection that may still be used; undefined when there is none. */
  takeIdle(now: number): UpstreamConnection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable && now - connection.idleSince < IDLE_MS) return connection;
      connection.destroy();
    }
    return undefined;
  }

  /** Keeps a connection for the next request. */
  putIdle(connection: UpstreamConnection, now: number): void {
    const isOutdated = connection.engine !== this.engine;
    if (!connection.usable || isOutdated || this.#idle.length >= MAX_IDLE || this.state !== 'ready') {
      connection.destroy();
      return;
    }
    connection.idleSince = now;
    this.#idle.push(connection);
  }

  /** An idle connection closed by itself. */
  forget(connection: UpstreamConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** A connection closed that nobody here closed. */
  lost(): void {
    if (this.isOurs && this.connections.size === 0) this.onLost?.(this);
  }

  /** Closes idle connections that are too old to be used; the oldest are at the bottom. */
  expireIdle(now: number): void {
    let expired = 0;
    while (expired < this.#idle.length && now - (this.#idle[expired] as UpstreamConnection).idleSince >= IDLE_MS)
      expired++;
    if (expired === 0) return;
    for (const connection of this.#idle.splice(0, expired)) connection.destroy();
  }

  /** Closes all idle connections. */
  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  /** It was dispatched here. */
  link(dispatched: InFlight): void {
    this.inFlight++;
    if (dispatched.passive) this.passive++;
    dispatched.previousInFlight = undefined;
    dispatched.nextInFlight = this.first;
    if (this.first !== undefined) this.first.previousInFlight = dispatched;
    this.first = dispatched;
  }

  /** It ended, or goes elsewhere. */
  unlink(ended: InFlight): void {
    this.inFlight--;
    if (ended.passive) this.passive--;
    const { previousInFlight: previous, nextInFlight: next } = ended;
    if (previous === undefined) this.first = next;
    else previous.nextInFlight = next;
    if (next !== undefined) next.previousInFlight = previous;
    ended.previousInFlight = undefined;
    ended.nextInFlight = undefined;
  }

  /** @param ms how long it took; undefined: that says nothing */
  recordFirstByte(ms: number | undefined): void {
    this.completions++;
    if (ms === undefined) return;
    this.ttfb ??= new Histogram();
    this.ttfb.add(ms);
  }

  /** What in flight on it is no activity: no byte passed for `streamMs`, or it never is any. */
  inactive(streamMs: number, now: number): Inactive {
    let quiet = 0;
    let passive = 0;
    for (let each = this.first; each !== undefined; each = each.nextInFlight) {
      if (each.quietSince(now, streamMs) !== undefined) quiet++;
      else if (each.passive) passive++;
    }
    return { quiet, passive };
  }

  /** Its figures since the last report, which start anew. */
  report(now: number, streamMs: number): EndpointReport {
    const { id, condition, inFlight, completions } = this;
    const ttfb = this.ttfb?.sparse() ?? [];
    this.completions = 0;
    this.ttfb?.reset();
    return {
      endpoint: id,
      condition,
      inFlight,
      completions,
      ttfb,
      waiting: this.#waiting(now),
      oldestMs: this.#oldest(now, streamMs),
    };
  }

  #oldest(now: number, streamMs: number): number | undefined {
    let since = Number.POSITIVE_INFINITY;
    for (let each = this.first; each !== undefined; each = each.nextInFlight) {
      if (each.since < since && !each.passive && each.quietSince(now, streamMs) === undefined) since = each.since;
    }
    return since === Number.POSITIVE_INFINITY ? undefined : now - since;
  }

  /** Ages of the requests in flight that have no first byte yet. */
  #waiting(now: number): SparseCounts {
    // Made only where it is needed: 2 KB a second for each of 10,000 services kept the collector busy for 10 % of a core.
    let waiting: Histogram | undefined;
    for (let each = this.first; each !== undefined; each = each.nextInFlight) {
      const waitedMs = each.waitedMs(now);
      if (waitedMs === undefined) continue;
      waiting ??= new Histogram();
      waiting.add(waitedMs);
    }
    return waiting?.sparse() ?? [];
  }
}

/** Most requests in flight on an endpoint; without a limit any number. */
function limitOf({ maxConnections = 0 }: EndpointView): number {
  return maxConnections === 0 ? Number.POSITIVE_INFINITY : maxConnections;
}
