import type { EdgeMessage, ServiceReport } from '../../model/link.ts';
import type { ServicePolicy, ServiceState } from '../../model/snapshot.ts';
import { Histogram } from '../../util/histogram.ts';
import { type Agenda, Call } from '../agenda.ts';
import type { Sender } from '../app/replica.ts';
import type { Random } from '../random.ts';
import type { SimulatedRequest } from '../request.ts';
import type { Fleet } from '../run/fleet.ts';
import type { Ending, Ledger } from '../run/ledger.ts';
import { DeadlineQueue } from './deadlines.ts';
import type { EdgeEndpoint } from './edge-endpoint.ts';
import { Figures, kindOf } from './figures.ts';
import { Release, type Releasing } from './release.ts';
import { Rotation } from './rotation.ts';

/** Demand is told at most this often, ms; the first of some at once. */
const TELL_EVERY_MS = 10;

export interface EdgeServiceContext {
  agenda: Agenda;
  fleet: Fleet;
  random: Random;
  ledger: Ledger;
  post: (message: EdgeMessage) => void;
  /** Hears that a request has ended. */
  onEnded: (request: SimulatedRequest) => void;
}

/** One attempt of a request, which may time out. */
interface Attempt {
  request: SimulatedRequest;
  attempt: number;
}

/** The edge's side of one service: its endpoints, who waits, and the figures that control is told. */
export class EdgeService implements Sender, Releasing {
  readonly name: string;
  readonly #context: EdgeServiceContext;
  readonly #release: Release;
  readonly #figures = new Figures();
  readonly #rotation: Rotation;
  readonly #holdDeadlines: DeadlineQueue<SimulatedRequest>;
  readonly #answerDeadlines: DeadlineQueue<Attempt>;
  readonly #tell: Call;
  #policy: ServicePolicy;
  #held = new Set<SimulatedRequest>();
  #state: ServiceState | undefined;
  #blockedUntil = 0;
  #inFlight = 0;
  #load = 0;
  #loadMs = 0;
  #loadAt = 0;
  #activeAt = 0;
  #told = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(policy: ServicePolicy, context: EdgeServiceContext) {
    const { agenda } = context;
    this.name = policy.name;
    this.#policy = policy;
    this.#context = context;
    this.#activeAt = agenda.now;
    this.#rotation = new Rotation(agenda, context.fleet, context.random);
    this.#release = new Release(agenda, this);
    this.#tell = new Call(() => this.#tellNow());
    this.#holdDeadlines = new DeadlineQueue(
      agenda,
      ({ stage }) => stage !== 'held',
      (request) => this.#refuse(request, 'deadline'),
    );
    this.#answerDeadlines = new DeadlineQueue(
      agenda,
      ({ request, attempt }) => request.stage !== 'in-flight' || request.attempts !== attempt,
      ({ request }) => this.#timeOut(request),
    );
    if (policy.health !== undefined) this.#checkHealth(policy.health.intervalMs);
  }

  configure(policy: ServicePolicy): void {
    this.#policy = policy;
  }

  // ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────

  arrive(request: SimulatedRequest): void {
    this.#figures.arrivals++;
    this.#context.ledger.arrived();
    this.#place(request, undefined);
  }

  /** Its client gives up. */
  abort(request: SimulatedRequest): void {
    if (request.stage === 'ended') return;
    this.#leave(request);
    this.#end(request, 'lost', undefined);
  }

  onAnswer(request: SimulatedRequest, status: number): void {
    const { now } = this.#context.agenda;
    const { shed, outlier } = this.#policy;
    const endpoint = request.endpoint as EdgeEndpoint;
    const ms = now - request.since;
    request.work = undefined;
    endpoint.answered(ms, this.#rotation.times(request.arrivedAt), request.isCalm);
    this.#figures.firstByte(status, ms, shed);
    this.#figures.ended(status, now - request.arrivedAt);
    // Who sheds load is judged neither well nor badly for it.
    const isJudged = status < 500 || !shed.includes(status);
    if (outlier !== undefined && isJudged) {
      const forMs = this.#rotation.judge(endpoint, status >= 500, outlier);
      if (forMs > 0) this.#tellEjected(endpoint, forMs, outlier.consecutive);
    }
    const kind = kindOf(status, shed);
    this.#leave(request);
    this.#end(request, kind === 'shed' ? 'shed' : kind === 'error' ? 'errors' : 'answered', now - request.arrivedAt);
    if (this.#held.size > 0) this.#release.onFirstByte();
  }

  onReset(request: SimulatedRequest): void {
    const endpoint = request.endpoint as EdgeEndpoint;
    request.work = undefined;
    this.#figures.resets++;
    this.#leave(request);
    if (request.attempts > this.#policy.retries.max) {
      this.#end(request, 'lost', undefined);
      return;
    }
    this.#figures.retries++;
    request.since = this.#context.agenda.now;
    this.#place(request, endpoint);
  }

  /** @param avoid the endpoint that failed it before */
  #place(request: SimulatedRequest, avoid: EdgeEndpoint | undefined): void {
    const endpoint = this.#held.size === 0 ? this.#rotation.pick(this.#limit, avoid) : undefined;
    if (endpoint !== undefined) this.#dispatch(request, endpoint);
    else this.#hold(request, avoid !== undefined);
  }

  #hold(request: SimulatedRequest, isFirst: boolean): void {
    const { now } = this.#context.agenda;
    const isCold = this.#rotation.readyCount === 0;
    if (isCold && this.#blockedUntil > now) this.#refuse(request, 'failed');
    else if (this.#held.size >= this.#policy.hold.max) this.#refuse(request, 'full');
    else {
      request.stage = 'held';
      request.isCold ||= isCold;
      if (request.heldAt === 0) {
        request.heldAt = now;
        this.#holdDeadlines.add(request, now + (this.#state?.holdTimeoutMs ?? 30_000));
      }
      if (isFirst) this.#held = new Set([request, ...this.#held]);
      else this.#held.add(request);
      this.#count();
      this.#tellDemand();
    }
  }

  #dispatch(request: SimulatedRequest, endpoint: EdgeEndpoint): void {
    const { now } = this.#context.agenda;
    if (request.isCold) request.since = now;
    request.isCold = false;
    request.stage = 'in-flight';
    request.endpoint = endpoint;
    request.isCalm = endpoint.inFlight.size === 0;
    request.attempts++;
    endpoint.inFlight.add(request);
    this.#inFlight++;
    this.#count();
    this.#answerDeadlines.add({ request, attempt: request.attempts }, now + this.#policy.timeouts.firstByteMs);
    if (endpoint.running === undefined) this.onReset(request);
    else endpoint.running.replica.accept(request);
  }

  /** Takes it out of where it is. */
  #leave(request: SimulatedRequest): void {
    const { now } = this.#context.agenda;
    this.#activeAt = now;
    if (request.stage === 'held') {
      this.#held.delete(request);
      this.#tellDemand();
    } else if (request.stage === 'in-flight') {
      const endpoint = request.endpoint as EdgeEndpoint;
      if (request.work !== undefined) endpoint.running?.replica.abandon(request.work);
      request.work = undefined;
      endpoint.inFlight.remove(request);
      this.#inFlight--;
      this.#tellDrained(endpoint);
    }
    request.stage = 'ended';
    this.#count();
  }

  #end(request: SimulatedRequest, ending: Ending, ms: number | undefined): void {
    request.stage = 'ended';
    this.#context.ledger.ended(ending, ms);
    if (this.#held.size > 0) this.#release.pump();
    this.#context.onEnded(request);
  }

  #refuse(request: SimulatedRequest, why: 'full' | 'deadline' | 'failed'): void {
    const ms = this.#context.agenda.now - request.arrivedAt;
    this.#figures.holdRejected(why);
    this.#figures.ended(why === 'deadline' ? 504 : 503, ms);
    this.#leave(request);
    // What is refused after a wait was waited for; a refusal at once is none of the service's times.
    this.#end(request, 'shed', why === 'deadline' ? ms : undefined);
  }

  #timeOut(request: SimulatedRequest): void {
    const ms = this.#context.agenda.now - request.arrivedAt;
    this.#figures.shed++;
    this.#figures.ended(504, ms);
    this.#leave(request);
    this.#end(request, 'shed', ms);
  }

  // ── who waits ─────────────────────────────────────────────────────────────────────────────────────────────────────

  get isReady(): boolean {
    return this.#rotation.readyCount > 0;
  }

  get isBounded(): boolean {
    return this.#limit < Number.POSITIVE_INFINITY;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  releaseOne(): boolean {
    for (const request of this.#held) {
      const endpoint = this.#rotation.pick(this.#limit, undefined);
      if (endpoint === undefined) return false;
      this.#held.delete(request);
      this.#tellDemand();
      this.#dispatch(request, endpoint);
      return true;
    }
    return false;
  }

  get #limit(): number {
    const { concurrency } = this.#policy;
    const limit = concurrency > 0 ? concurrency : Number.POSITIVE_INFINITY;
    return Math.min(limit, this.#state?.inFlightLimit ?? Number.POSITIVE_INFINITY);
  }

  #tellDemand(): void {
    const { agenda } = this.#context;
    if (this.#held.size === this.#told || this.#tell.place >= 0) return;
    const wait = this.#told === 0 ? 0 : this.#toldAt + TELL_EVERY_MS - agenda.now;
    if (wait <= 0) this.#tellNow();
    else agenda.enter(this.#tell, agenda.now + wait);
  }

  #tellNow(): void {
    if (this.#held.size === this.#told) return;
    this.#told = this.#held.size;
    this.#toldAt = this.#context.agenda.now;
    this.#context.post({ type: 'demand', service: this.name, held: this.#told, inFlight: this.#inFlight });
  }

  /** The load is another from now on. */
  #count(): void {
    const { now } = this.#context.agenda;
    this.#loadMs += this.#load * (now - this.#loadAt);
    this.#loadAt = now;
    this.#load = this.#inFlight + (this.#rotation.readyCount > 0 ? this.#held.size : 0);
  }

  // ── endpoints ─────────────────────────────────────────────────────────────────────────────────────────────────────

  apply(state: ServiceState, version: number): void {
    const { now } = this.#context.agenda;
    const before = this.#state;
    const wasReady = this.#rotation.readyCount;
    this.#state = state;
    this.#blockedUntil = state.blocked === null ? 0 : now + state.blocked.retryAfterMs;
    this.#rotation.apply(state.endpoints);
    this.#count();
    for (const endpoint of this.#rotation) this.#settleState(endpoint, version, now);
    if (this.#rotation.readyCount > 0) this.#release.begin(Math.max(1, this.#rotation.readyCount - wasReady));
    else {
      for (const request of this.#held) request.isCold = true;
      const failed = before !== undefined && state.failures > before.failures;
      if (failed) for (const request of [...this.#held]) this.#refuse(request, 'failed');
    }
  }

  #settleState(endpoint: EdgeEndpoint, version: number, now: number): void {
    if (endpoint.state === 'ready') {
      endpoint.cordonVersion = 0;
      endpoint.isDrained = false;
      return;
    }
    if (endpoint.cordonVersion === 0) {
      endpoint.cordonVersion = version;
      const counts = { inFlight: endpoint.inFlight.size, quiet: 0, passive: 0, idleForMs: this.#idleForMs(now) };
      this.#context.post({ type: 'ack', version, service: this.name, endpoint: endpoint.id, ...counts });
    }
    if (endpoint.state === 'closing') for (const request of endpoint.inFlight.inOrder()) this.abort(request);
    this.#tellDrained(endpoint);
  }

  #tellDrained(endpoint: EdgeEndpoint): void {
    if (endpoint.cordonVersion === 0 || endpoint.isDrained || endpoint.inFlight.size > 0) return;
    endpoint.isDrained = true;
    const { id, cordonVersion: version } = endpoint;
    this.#context.post({ type: 'drained', version, service: this.name, endpoint: id, quiet: 0 });
  }

  /** What listened at a port has ended. */
  onGone(port: number): void {
    for (const endpoint of this.#rotation) {
      if (endpoint.running?.instance.address?.port !== port) continue;
      endpoint.isSuspect = true;
      const suspect = { service: this.name, endpoint: endpoint.id, doubt: ++endpoint.doubt };
      this.#context.post({ type: 'suspect', cause: 'closed', ...suspect });
      this.#rotation.sort();
    }
  }

  onTrust(id: string, doubt: number): void {
    const endpoint = this.#rotation.get(id);
    if (endpoint === undefined || endpoint.doubt !== doubt) return;
    endpoint.isSuspect = false;
    this.#rotation.sort();
    this.#release.pump();
  }

  #tellEjected({ running }: EdgeEndpoint, forMs: number, failures: number): void {
    const address = `127.0.0.1:${running?.instance.address?.port}`;
    this.#context.post({ type: 'ejected', service: this.name, address, forMs, failures, why: 'status 500' });
  }

  #checkHealth(everyMs: number): void {
    const { agenda } = this.#context;
    const check = new Call(() => {
      const { health } = this.#policy;
      if (health === undefined) return;
      this.#rotation.checkHealth(health);
      if (this.#held.size > 0) this.#release.pump();
      agenda.enter(check, agenda.now + everyMs);
    });
    agenda.enter(check, agenda.now + everyMs);
  }

  // ── figures ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #idleForMs(now: number): number {
    return this.#held.size > 0 || this.#inFlight > 0 ? 0 : now - this.#activeAt;
  }

  report(now: number): ServiceReport | undefined {
    if (this.#held.size === 0 && this.#figures.isQuiet && this.#rotation.size === 0) return undefined;
    this.#count();
    const loadMs = this.#loadMs;
    this.#loadMs = 0;
    let queued: Histogram | undefined;
    if (this.#rotation.readyCount > 0 && this.#held.size > 0) {
      queued = new Histogram();
      for (const { heldAt } of this.#held) queued.add(now - heldAt);
    }
    const figures = this.#figures.take();
    return {
      service: this.name,
      requests: figures.arrivals,
      ...figures,
      inFlight: this.#inFlight,
      passive: 0,
      loadMs,
      queued: queued?.sparse() ?? [],
      held: this.#held.size,
      heldBytes: 0,
      idleForMs: this.#idleForMs(now),
      lastRequest: 'GET /',
      endpoints: this.#rotation.report(now),
    };
  }

  /** A second of the load is over. */
  endSecond(now: number): void {
    const ages: number[] = [];
    for (const { arrivedAt } of this.#held) ages.push(now - arrivedAt);
    for (const { inFlight } of this.#rotation) for (const arrivedAt of inFlight.arrivals) ages.push(now - arrivedAt);
    this.#context.ledger.endSecond(now, this.#inFlight, this.#held.size, ages);
  }
}
