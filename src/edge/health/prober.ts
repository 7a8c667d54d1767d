import type { EdgeMessage, ProbeRequest } from '../../model/link.ts';
import type { EndpointView } from '../../model/snapshot.ts';
import type { Timer } from '../../util/clock.ts';
import { Fault } from '../http1/faults.ts';
import type { IoContext } from '../io/context.ts';
import { type Carrier, failureWords, isFailure } from '../upstream/carrier.ts';
import { Endpoint } from '../upstream/endpoint.ts';
import { TLS_LIMIT_MS, TlsCheck } from '../upstream/tls-check.ts';
import type { Transport } from '../upstream/transport.ts';
import { AddressCheck, LATE } from './address-check.ts';

/** The pause between tries is a fortieth of the time so far, within these bounds, ms. */
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 250;
/** A try may take half of the time so far, and at least this, ms. A fixed limit would never succeed on a slow link. */
const MIN_TRY_MS = 1000;
/** Who answers in TLS for so long is the program that was started, and not another one that had the port before, ms. */
const TLS_MS = 1000;
/** An opened connection waits so long for its endpoint to appear in a snapshot, ms. */
const KEEP_MS = 10_000;

const NOTHING = 'no answer yet';
/** What probes need of the edge. */
export interface ProberContext extends IoContext {
  /** Sends to the control plane. */
  post(message: EdgeMessage): void;
  /** Returns how connections to a service's endpoints are opened; undefined: as plain sockets. */
  transportOf(service: string): Transport | undefined;
}

/** Finds out when addresses answer, and keeps the connection that proved it for the first request. */
export class Prober {
  readonly #context: ProberContext;
  readonly #probes = new Map<string, Probe>();
  readonly #proven = new Map<string, Proven>();

  constructor(context: ProberContext) {
    this.#context = context;
  }

  start(request: ProbeRequest): void {
    this.cancel(request.probe);
    const { probe: id } = request;
    const onTry = (host: string, result: string) => this.#context.post({ type: 'probing', probe: id, host, result });
    const probe = new Probe(request, this.#context, onTry, (outcome) => this.#finish(request, outcome));
    this.#probes.set(request.probe, probe);
    probe.begin();
  }

  cancel(id: string): void {
    const probe = this.#probes.get(id);
    if (probe === undefined) return;
    this.#probes.delete(id);
    probe.close();
  }

  /** Who asked for them does not any more. */
  cancelAll(): void {
    for (const id of [...this.#probes.keys()]) this.cancel(id);
  }

  /** Hands out the endpoint that a probe proved, if it is the one of the view. */
  take(view: EndpointView): Endpoint | undefined {
    const proven = this.#proven.get(view.id);
    if (proven === undefined) return undefined;
    const { endpoint } = proven;
    if (endpoint.host === view.host && endpoint.port === view.port) {
      proven.timer.cancel();
      this.#proven.delete(view.id);
      return endpoint;
    }
    this.#drop(view.id);
    return undefined;
  }

  close(): void {
    this.cancelAll();
    for (const id of [...this.#proven.keys()]) this.#drop(id);
  }

  #finish(request: ProbeRequest, outcome: ProbeResult): void {
    this.#probes.delete(request.probe);
    const { probe } = request;
    if (!outcome.ok) {
      this.#context.post({ type: 'probed', probe, ...outcome });
      return;
    }
    const { endpoint } = outcome;
    const { id } = endpoint;
    this.#drop(id);
    this.#proven.set(id, { endpoint, timer: this.#context.clock.after(KEEP_MS, () => this.#drop(id)) });
    this.#context.post({ type: 'probed', probe, ok: true, host: endpoint.host });
  }

  /** Closes the connection that proved an endpoint. */
  #drop(id: string): void {
    const proven = this.#proven.get(id);
    if (proven === undefined) return;
    this.#proven.delete(id);
    proven.timer.cancel();
    proven.endpoint.closeIdle();
  }
}

/** A connection that waits for its endpoint. */
interface Proven {
  endpoint: Endpoint;
  timer: Timer;
}

type ProbeResult = { ok: true; endpoint: Endpoint } | { ok: false; reason: 'timeout' | 'tls'; detail: string };

/** Tries one address again and again, one try at a time. */
class Probe {
  readonly #request: ProbeRequest;
  readonly #context: ProberContext;
  readonly #onTry: (host: string, result: string) => void;
  readonly #done: (outcome: ProbeResult) => void;
  readonly #startedAt: number;
  #endpoint: Endpoint;
  #check: AddressCheck | undefined;
  #timer: Timer | undefined;
  #lastFailure = NOTHING;
  /** Since when all tries were answered in TLS, ms from the probe's beginning. */
  #tlsSince: number | undefined;
  #tlsCheck: TlsCheck | undefined;
  /** When the address was last asked for TLS because it said nothing, ms from the probe's beginning. */
  #tlsAskedAt = 0;

  constructor(
    request: ProbeRequest,
    context: ProberContext,
    onTry: (host: string, result: string) => void,
    done: (outcome: ProbeResult) => void,
  ) {
    this.#request = request;
    this.#context = context;
    this.#onTry = onTry;
    this.#done = done;
    this.#endpoint = this.#endpointAt(request.host);
    this.#startedAt = context.clock.now();
  }

  begin(): void {
    const elapsed = this.#elapsed();
    const left = this.#request.timeoutMs - elapsed;
    if (left <= 0) {
      this.#done({ ok: false, reason: 'timeout', detail: this.#lastFailure });
      return;
    }
    // The service may have become known, or another one, since the last try.
    this.#endpoint.connectThrough(this.#context.transportOf(this.#request.service));
    const limit = Math.min(left, Math.max(MIN_TRY_MS, elapsed / 2));
    this.#check = new AddressCheck(this.#request.check, this.#endpoint, true, (outcome) => this.#onChecked(outcome));
    this.#timer = this.#context.clock.after(limit, () => this.#check?.fail(LATE));
  }

  close(): void {
    this.#timer?.cancel();
    this.#check?.close();
    this.#tlsCheck?.close();
    this.#endpoint.closeIdle();
  }

  get #host(): string {
    return this.#endpoint.host;
  }

  #endpointAt(host: string): Endpoint {
    const { endpoint: id, port, serverName } = this.#request;
    return new Endpoint({ id, host, port, serverName, state: 'ready', weight: 1, start: null });
  }

  #elapsed(): number {
    return this.#context.clock.now() - this.#startedAt;
  }

  #onChecked(outcome: string | Carrier): void {
    this.#timer?.cancel();
    this.#check = undefined;
    if (typeof outcome !== 'string') {
      outcome.giveBack(true, this.#context.clock.now());
      this.#done({ ok: true, endpoint: this.#endpoint });
      return;
    }
    const speaksHttp = this.#request.check.kind === 'http' && this.#endpoint.transport === undefined;
    if (outcome === 'reset' && speaksHttp && this.#mayAskForTls) this.#askForTls();
    else this.#onFailed(outcome);
  }

  /**
   * Whether it is time to ask for TLS. Docker's published ports close connections until the program is ready, so a fast
   * start must not be delayed by the question.
   */
  get #mayAskForTls(): boolean {
    const elapsed = this.#elapsed();
    return elapsed - this.#tlsAskedAt >= TLS_MS && this.#request.timeoutMs - elapsed > TLS_LIMIT_MS;
  }

  #askForTls(): void {
    this.#tlsAskedAt = this.#elapsed();
    this.#tlsCheck = new TlsCheck(this.#endpoint, this.#context.deadlines, (speaksTls) => {
      this.#tlsCheck = undefined;
      if (!speaksTls) this.#onFailed('reset');
      else this.#endAsTls();
    });
  }

  #endAsTls(): void {
    this.#tell(Fault.TLS_ANSWER);
    this.#done({ ok: false, reason: 'tls', detail: Fault.TLS_ANSWER });
  }

  #onFailed(outcome: string): void {
    const isTls = outcome === Fault.TLS_ANSWER;
    this.#tlsSince = isTls ? (this.#tlsSince ?? this.#elapsed()) : undefined;
    const isRefused = outcome === 'refused';
    // A refusal at the other host is no news.
    if (this.#host !== this.#request.otherHost || !isRefused) this.#tell(outcome);
    if (isTls && this.#elapsed() - (this.#tlsSince as number) >= TLS_MS) {
      this.#endAsTls();
      return;
    }
    const other = isRefused && this.#host === this.#request.host ? this.#request.otherHost : undefined;
    if (isRefused) this.#endpoint = this.#endpointAt(other ?? this.#request.host);
    if (other !== undefined) {
      this.begin();
      return;
    }
    const pause = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, this.#elapsed() / 40));
    this.#timer = this.#context.clock.after(pause, () => this.begin());
  }

  #tell(failure: string): void {
    // The last try was cut short, so the failure before it says more.
    if (failure === LATE && this.#elapsed() >= this.#request.timeoutMs && this.#lastFailure !== NOTHING) return;
    const result = isFailure(failure) ? failureWords[failure] : failure;
    const news = `${this.#host} ${result}`;
    if (news === this.#lastFailure) return;
    this.#lastFailure = news;
    this.#onTry(this.#host, result);
  }
}
