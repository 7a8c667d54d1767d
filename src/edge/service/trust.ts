import type { OutlierSettings } from '../../model/balancing.ts';
import type { ServicePolicy } from '../../model/snapshot.ts';
import type { Timer } from '../../util/clock.ts';
import type { Hold } from '../hold/hold.ts';
import { Fault } from '../http1/faults.ts';
import { failureWords } from '../upstream/carrier.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { afterAnswer, ejectionMs, mostEjected } from '../upstream/outlier.ts';
import type { ServiceContext } from './context.ts';
import type { ServiceEndpoints } from './service-endpoints.ts';
import { type Opened, type Opener, Unproven } from './unproven.ts';

/** An endpoint whose connect failed is passed over for so long, unless control answers sooner, ms. */
const SUSPECT_MS = 1000;

/** The service whose endpoints are judged. */
interface TrustingService {
  readonly name: string;
  readonly policy: ServicePolicy;
}

/**
 * Judges the endpoints of one service by how they behave: passes over those that cannot be reached or answer badly, and
 * tells control.
 */
export class Trust {
  readonly #service: TrustingService;
  readonly #endpoints: ServiceEndpoints;
  readonly #hold: Hold;
  readonly #context: ServiceContext;
  #timer: Timer | undefined;
  #unproven: Unproven | undefined;

  constructor(service: TrustingService, endpoints: ServiceEndpoints, hold: Hold, context: ServiceContext) {
    this.#service = service;
    this.#endpoints = endpoints;
    this.#hold = hold;
    this.#context = context;
  }

  // ── is it there? ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** A connect to the endpoint failed: passes it over, and asks control to look at it. */
  suspect(endpoint: Endpoint, cause: 'refused' | 'timeout'): void {
    endpoint.closeIdle();
    this.judge(endpoint, 'failure', failureWords[cause]);
    this.#doubt(endpoint, cause);
    if (!this.#endpoints.eligibility.doubtful) endpoint.sendElsewhere();
  }

  /**
   * The last connection to a replica of ours closed unasked. Mostly it was only idle for long. But if the replica is
   * gone, another program may have its address by now, so nobody is sent there until control has looked.
   */
  onLost(endpoint: Endpoint): void {
    if (endpoint.state === 'ready') this.#doubt(endpoint, 'closed');
  }

  /** Another edge doubts the endpoint. What this edge opened a moment ago may lead to another program too. */
  onDoubt(id: string): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined || !endpoint.isOurs || endpoint.suspectUntil > this.#context.clock.now()) return;
    endpoint.closeIdle();
    this.onLost(endpoint);
  }

  /** Control looked at the endpoint after a doubt, and it is the same replica. That does not settle a later doubt. */
  onTrust(id: string, doubt: number): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return;
    this.#unproven?.trust(endpoint, doubt);
    if (endpoint.doubt !== doubt || endpoint.state !== 'ready') return;
    endpoint.suspectUntil = 0;
    this.#endpoints.refresh(this.#context.clock.now());
    const { size } = this.#hold.queue;
    if (size > 0) this.#hold.release(size);
  }

  /** Has control prove that a new connection leads to the replica, and not to another program. */
  prove(opener: Opener, endpoint: Endpoint, connection: Opened): void {
    const { clock, post } = this.#context;
    this.#unproven ??= new Unproven(clock, ({ id, doubt }) =>
      post({ type: 'suspect', service: this.#service.name, endpoint: id, cause: 'unproven', doubt }),
    );
    this.#unproven.add(opener, endpoint, connection);
  }

  /** The endpoint left the snapshots: no connection to it leads to the replica. */
  disown(endpoint: Endpoint): void {
    this.#unproven?.disown(endpoint);
  }

  /** Another control plane speaks to this edge: tells it which endpoints are in doubt. */
  tellAgain(): void {
    const { clock, post } = this.#context;
    const now = clock.now();
    for (const { id, isOurs, state, suspectUntil, doubt } of this.#endpoints) {
      if (!isOurs || state !== 'ready' || suspectUntil <= now) continue;
      post({ type: 'suspect', service: this.#service.name, endpoint: id, cause: 'closed', doubt });
    }
    this.#unproven?.askAgain();
  }

  #doubt(endpoint: Endpoint, cause: 'refused' | 'timeout' | 'closed'): void {
    const { clock, post } = this.#context;
    endpoint.doubtUntil(clock.now() + SUSPECT_MS);
    post({ type: 'suspect', service: this.#service.name, endpoint: endpoint.id, cause, doubt: endpoint.doubt });
    this.#endpoints.refresh(clock.now());
    this.#tryAgainLater();
  }

  /** Releases those who wait because all endpoints are in doubt, as soon as one is not any more. */
  #tryAgainLater(): void {
    const { clock } = this.#context;
    const { eligibility } = this.#endpoints;
    const wait = Math.min(Math.max(eligibility.recheckAt - clock.now(), 1), SUSPECT_MS);
    this.#timer ??= clock.after(wait, () => {
      this.#timer = undefined;
      this.#hold.releaseSome();
      if (this.#hold.queue.size > 0 && eligibility.doubtful) this.#tryAgainLater();
    });
  }

  // ── are its answers good? ─────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Counts an answer: a success is whole and no 5xx. Too many failures in a row eject the endpoint for a while.
   * @param why what the failure was, in words
   */
  judge(endpoint: Endpoint, answer: 'success' | 'failure', why = ''): void {
    const { outlier } = this.#service.policy;
    if (outlier === undefined) return;
    const before = endpoint.outlier;
    if (answer === 'success' && before.kind === 'trusted' && before.failures === 0) return;
    this.#judge(endpoint, answer, why, outlier);
  }

  /** Apart, so that an answer that changes nothing costs no closure. */
  #judge(endpoint: Endpoint, answer: 'success' | 'failure', why: string, outlier: OutlierSettings): void {
    const before = endpoint.outlier;
    const now = this.#context.clock.now();
    endpoint.outlier = afterAnswer(before, answer, outlier, now, () => this.#mayEject(endpoint, outlier));
    if (endpoint.outlier.kind === before.kind || endpoint.outlier.kind === 'trusted') return;
    this.#endpoints.refresh(now);
    const forMs = ejectionMs(endpoint.outlier.ejections, outlier);
    const { consecutive: failures } = outlier;
    const { name } = this.#service;
    this.#context.post({ type: 'ejected', service: name, address: endpoint.address, forMs, failures, why });
  }

  #mayEject(endpoint: Endpoint, outlier: OutlierSettings): boolean {
    const { ready } = this.#endpoints;
    const ejected = ready.filter((each) => each.outlier.kind === 'ejected').length;
    return endpoint.state === 'ready' && ejected < mostEjected(ready.length, outlier);
  }

  /**
   * The endpoint closed a fresh connection without a word. Many servers that expect TLS do that, so it is asked for
   * TLS.
   */
  onUnanswered(endpoint: Endpoint): void {
    // A replica of ours has answered in HTTP before, and another program may have its port by now.
    if (endpoint.isOurs || endpoint.transport !== undefined || endpoint.state === 'gone') return;
    const { clock, deadlines } = this.#context;
    endpoint.askForTls(deadlines, clock.now(), () => this.onBadAnswer(endpoint, Fault.TLS_ANSWER));
  }

  /** Reports an invalid answer, so that the log tells which endpoint gave it and what is wrong. */
  onBadAnswer(endpoint: Endpoint, fault: string): void {
    const count = endpoint.noteFault(fault, this.#context.clock.now());
    if (count === 0) return;
    this.#context.post({ type: 'bad-answer', service: this.#service.name, address: endpoint.address, fault, count });
  }

  /** Reports why an endpoint cannot be connected to, where that has to be mended by somebody. */
  onUnreachable(endpoint: Endpoint, reason: string): void {
    const count = endpoint.noteFault(reason, this.#context.clock.now());
    if (count === 0) return;
    const { address } = endpoint;
    this.#context.post({ type: 'unreachable', service: this.#service.name, address, reason, count });
  }

  close(): void {
    this.#timer?.cancel();
    this.#unproven?.close();
  }
}
