import type { HealthSettings } from '../../model/balancing.ts';
import type { ProbeRequest } from '../../model/link.ts';
import type { DeadlineEntry, Deadlines } from '../io/deadlines.ts';
import type { UpstreamFailure } from '../upstream/carrier.ts';
import { Endpoint, type EndpointHealth } from '../upstream/endpoint.ts';
import { AddressCheck, LATE } from './address-check.ts';
import type { CheckGate, GatedCheck } from './check-gate.ts';

/** The proxy itself had nothing left to connect with. */
const OWN_WANT: UpstreamFailure = 'want';
/** First checks of new endpoints are spread over at most this time, ms. */
const SPREAD_MS = 1000;
/** Later checks come early by up to this part of the interval, so that those that began together spread out. */
const JITTER = 0.1;

/**
 * What the checks say of an endpoint. `unchecked`: it gets requests, and the first check decides alone. `healthy` and
 * `unhealthy` take several checks in a row to change; `streak` counts those that contradicted so far.
 */
export type HealthState =
  | { kind: 'unchecked' }
  | { kind: 'healthy'; streak: number }
  | { kind: 'unhealthy'; streak: number };

/**
 * What a state means for requests.
 * @param status of the last check's answer; 0 without one
 */
function endpointHealth(state: HealthState, status: number): EndpointHealth {
  if (state.kind !== 'unhealthy') return 'healthy';
  return status > 0 && status < 500 ? 'objecting' : 'unhealthy';
}

/** Makes the warning that every endpoint fails its checks. */
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

interface HealthChecksOptions {
  deadlines: Deadlines;
  /** Bounds the checks under way of all services. */
  gate: CheckGate;
  /** The health of an endpoint changed from `before`; `reason` tells what the last check found. */
  onChange: (endpoint: Endpoint, before: EndpointHealth, reason: string) => void;
  /** Random number in [0, 1), for the spread. */
  random?: () => number;
}

/**
 * Checks the endpoints of one service at intervals. It uses its own connections: a check is no request, is no activity,
 * and takes no slot.
 */
export class HealthChecks {
  readonly options: Required<HealthChecksOptions>;
  settings: HealthSettings;
  /** Host field of a check; undefined: the endpoint's address. */
  host: string | undefined;
  readonly #targets = new Map<Endpoint, Target>();

  constructor(options: HealthChecksOptions, settings: HealthSettings, host: string | undefined) {
    this.options = { random: Math.random, ...options };
    this.settings = settings;
    this.host = host;
  }

  /** Checks by these settings from now on, and soon, because they may find something else. */
  configure(settings: HealthSettings, host: string | undefined): void {
    if (settings === this.settings && host === this.host) return;
    const isSame = host === this.host && JSON.stringify(settings) === JSON.stringify(this.settings);
    this.settings = settings;
    this.host = host;
    if (!isSame) for (const target of this.#targets.values()) target.hurry();
  }

  /** Checks exactly these endpoints from now on. A new one gets requests until a check fails. */
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

/** `waiting` for its time, `queued` at the gate, `checking`. */
type Phase = 'waiting' | 'queued' | 'checking' | 'closed';

/** One endpoint that is checked. */
class Target implements DeadlineEntry, GatedCheck {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  readonly #checks: HealthChecks;
  readonly #endpoint: Endpoint;
  /** Where the checks connect to, apart from the connections of requests; it keeps none. */
  readonly #address: Endpoint;
  #phase: Phase = 'waiting';
  #state: HealthState = { kind: 'unchecked' };
  #check: AddressCheck | undefined;

  constructor(checks: HealthChecks, endpoint: Endpoint) {
    this.#checks = checks;
    this.#endpoint = endpoint;
    const { id, host, port, serverName } = endpoint;
    this.#address = new Endpoint({ id, host, port, serverName, state: 'cordoned', weight: 1, start: null });
    this.hurry();
  }

  /** Checks soon, unless a check is under way or queued. */
  hurry(): void {
    if (this.#phase !== 'waiting') return;
    const { options, settings } = this.#checks;
    this.#wait(options.random() * Math.min(SPREAD_MS, settings.intervalMs));
  }

  onDeadline(): void {
    if (this.#phase === 'checking') {
      this.#check?.fail(LATE);
      return;
    }
    this.#phase = 'queued';
    this.#checks.options.gate.enter(this);
  }

  begin(): void {
    const { settings, options } = this.#checks;
    this.#phase = 'checking';
    options.deadlines.arm(this, settings.timeoutMs);
    this.#address.connectThrough(this.#endpoint.transport);
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
    return { kind, path, statusMin, statusMax, hostHeader: this.#checks.host ?? this.#endpoint.authority };
  }

  #onChecked(outcome: string | object): void {
    const { settings, options } = this.#checks;
    const ok = typeof outcome !== 'string';
    if (outcome === OWN_WANT) {
      // This says nothing about the endpoint.
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
    const health = endpointHealth(this.#state, status);
    if (health === before) return;
    this.#endpoint.health = health;
    options.onChange(this.#endpoint, before, ok ? 'it answers as it should' : outcome);
  }

  #wait(ms: number): void {
    this.#phase = 'waiting';
    this.#checks.options.deadlines.arm(this, ms);
  }
}
