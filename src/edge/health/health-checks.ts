import type { HealthSettings } from '../../model/balancing.ts';
import type { ProbeRequest } from '../../model/link.ts';
import type { DeadlineEntry, Deadlines } from '../io/deadlines.ts';
import { Endpoint, type EndpointHealth } from '../upstream/endpoint.ts';
import type { UpstreamFailure } from '../upstream/upstream-connection.ts';
import { AddressCheck } from './address-check.ts';
import type { CheckGate, GatedCheck } from './check-gate.ts';

/** There was nothing left here to connect with. */
const OWN_WANT: UpstreamFailure = 'want';
/** First checks of new endpoints are spread over at most this time, ms. */
const SPREAD_MS = 1000;
/** Further ones come up to this part of the interval early, so that those that began together do not stay so. */
const JITTER = 0.1;

/**
 * What the checks say of an endpoint. `unchecked`: used, and the first check decides alone; `healthy` and `unhealthy`
 * take several in a row to change: `streak` is how many contradicted it so far.
 */
export type HealthState =
  | { kind: 'unchecked' }
  | { kind: 'healthy'; streak: number }
  | { kind: 'unhealthy'; streak: number };

/** @param status of the last check's answer; 0 where there was none */
export function healthOf(state: HealthState, status: number): EndpointHealth {
  if (state.kind !== 'unhealthy') return 'healthy';
  return status > 0 && status < 500 ? 'objecting' : 'unhealthy';
}

/** Said when every endpoint that answers fails its checks. */
export function lastResort(reason: string): string {
  return (
    `no endpoint passes its checks, and those that answer them are used all the same: ${reason}. If requests succeed, ` +
    'the checks ask for the wrong thing: see health.host, health.path and health.status'
  );
}

/** The state after a check. */
export function checked(
  state: HealthState,
  ok: boolean,
  { rise, fall }: Pick<HealthSettings, 'rise' | 'fall'>,
): HealthState {
  if (state.kind === 'unchecked') return { kind: ok ? 'healthy' : 'unhealthy', streak: 0 };
  if (ok === (state.kind === 'healthy')) return state.streak === 0 ? state : { ...state, streak: 0 };
  const streak = state.streak + 1;
  if (streak < (ok ? rise : fall)) return { ...state, streak };
  return { kind: ok ? 'healthy' : 'unhealthy', streak: 0 };
}

export interface HealthChecksOptions {
  deadlines: Deadlines;
  /** Shared by all services: bounds how many checks are under way. */
  gate: CheckGate;
  /** The health of an endpoint is another than `before`; `reason` says what the last check found. */
  onChange: (endpoint: Endpoint, before: EndpointHealth, reason: string) => void;
  /** In [0, 1), for the spread. */
  random?: () => number;
}

/**
 * Checks the endpoints of one service again and again. It uses connections of its own: no check is a request of the
 * service, counts as activity, or waits for a slot.
 */
export class HealthChecks {
  readonly options: Required<HealthChecksOptions>;
  settings: HealthSettings;
  /** Host header; undefined: the endpoint's address. */
  host: string | undefined;
  readonly #targets = new Map<Endpoint, Target>();

  constructor(options: HealthChecksOptions, settings: HealthSettings, host: string | undefined) {
    this.options = { random: Math.random, ...options };
    this.settings = settings;
    this.host = host;
  }

  /** Checks in this way from now on: what another way would have found out in its time is found out soon. */
  configure(settings: HealthSettings, host: string | undefined): void {
    if (settings === this.settings && host === this.host) return;
    const isSame = host === this.host && JSON.stringify(settings) === JSON.stringify(this.settings);
    this.settings = settings;
    this.host = host;
    if (!isSame) for (const target of this.#targets.values()) target.hurry();
  }

  /** Checks exactly these from now on: new ones are used until a check says otherwise. */
  follow(endpoints: readonly Endpoint[]): void {
    const listed = new Set(endpoints);
    for (const [endpoint, target] of this.#targets) {
      if (listed.has(endpoint)) continue;
      target.close();
      endpoint.health = 'healthy';
      this.#targets.delete(endpoint);
    }
    for (const endpoint of endpoints) {
      if (!this.#targets.has(endpoint)) this.#targets.set(endpoint, new Target(this, endpoint));
    }
  }

  close(): void {
    this.follow([]);
  }
}

/** `waiting` for its time, `queued` for its turn among all checks, `checking`. */
type Phase = 'waiting' | 'queued' | 'checking' | 'closed';

/** One endpoint that is checked. */
class Target implements DeadlineEntry, GatedCheck {
  deadline = 0;
  filed = 0;
  readonly #checks: HealthChecks;
  readonly #endpoint: Endpoint;
  /** Holds the connections of the checks, apart from those of requests. */
  readonly #address: Endpoint;
  #phase: Phase = 'waiting';
  #state: HealthState = { kind: 'unchecked' };
  #check: AddressCheck | undefined;

  constructor(checks: HealthChecks, endpoint: Endpoint) {
    this.#checks = checks;
    this.#endpoint = endpoint;
    const { id, host, port } = endpoint;
    this.#address = new Endpoint({ id, host, port, state: 'ready', weight: 1, start: null });
    this.hurry();
  }

  /** Checks soon, unless a check is under way or about to be. */
  hurry(): void {
    if (this.#phase !== 'waiting') return;
    const { options, settings } = this.#checks;
    this.#wait(options.random() * Math.min(SPREAD_MS, settings.intervalMs));
  }

  onDeadline(): void {
    if (this.#phase === 'checking') {
      this.#check?.fail('no answer in time');
      return;
    }
    this.#phase = 'queued';
    this.#checks.options.gate.enter(this);
  }

  begin(): void {
    const { settings, options } = this.#checks;
    this.#phase = 'checking';
    options.deadlines.arm(this, settings.timeoutMs);
    this.#check = new AddressCheck(this.#probe(), this.#address, false, (outcome) => this.#onChecked(outcome));
  }

  close(): void {
    const { gate, deadlines } = this.#checks.options;
    const phase = this.#phase;
    this.#phase = 'closed';
    deadlines.disarm(this);
    this.#check?.close();
    if (phase === 'queued') gate.giveUp(this);
    else if (phase === 'checking') gate.leave();
  }

  #probe(): ProbeRequest['check'] {
    const { check } = this.#checks.settings;
    if (check.kind === 'connect') return check;
    const { kind, path, statusMin, statusMax } = check;
    return { kind, path, statusMin, statusMax, hostHeader: this.#checks.host ?? this.#endpoint.address };
  }

  #onChecked(outcome: string | object): void {
    const { settings, options } = this.#checks;
    const ok = typeof outcome !== 'string';
    if (outcome === OWN_WANT) {
      // It says nothing of the endpoint.
      this.#check = undefined;
      this.#wait(settings.intervalMs);
      options.gate.leave();
      return;
    }
    const status = this.#check?.status ?? 0;
    this.#check = undefined;
    this.#state = checked(this.#state, ok, settings);
    this.#wait(settings.intervalMs * (1 - JITTER * options.random()));
    options.gate.leave();
    const before = this.#endpoint.health;
    const health = healthOf(this.#state, status);
    if (health === before) return;
    this.#endpoint.health = health;
    options.onChange(this.#endpoint, before, ok ? 'it answers as it should' : outcome);
  }

  #wait(ms: number): void {
    this.#phase = 'waiting';
    this.#checks.options.deadlines.arm(this, ms);
  }
}
