import type { DecisionEntry } from '../../src/model/decision.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import type { SecondPoint, ServiceOutcome } from '../../src/simulate/outcome.ts';
import type { MimicEvent } from '../../test/support/mimic-log.ts';
import { latencyOf, type Sample } from '../../test/support/paced-load.ts';

/** What was seen of one service while its load went on; times are epoch ms. */
export interface Seen {
  service: string;
  beganAt: number;
  seconds: number;
  samples: readonly Sample[];
  /** What the proxy said of it, again and again. */
  looks: readonly { at: number; status: ServiceStatus }[];
  /** What its replicas wrote down. */
  events: readonly MimicEvent[];
  decisions: readonly DecisionEntry[];
  aboveMs: number;
  quantile: number;
}

/** Quantiles are taken over the answers of so long, as in the simulation, ms. */
const QUANTILE_MS = 5000;

/** The same figures of a real run as the simulation gives of a simulated one. */
export function outcomeOf(seen: Seen): ServiceOutcome {
  const { service, beganAt, seconds, samples, looks, events, decisions } = seen;
  const until = beganAt + seconds * 1000;
  const during = ({ at }: { at: number }) => at >= beganAt && at <= until;
  const count = (kind: Ending) => samples.filter((sample) => endingOf(sample) === kind).length;
  const series = Array.from({ length: seconds }, (_, second) => pointOf(seen, second));
  const last = series.at(-1);
  return {
    service,
    starts: events.filter((event) => event.event === 'boot' && during(event)).length,
    failedStarts: 0,
    stops: events.filter((event) => event.event === 'term' && during(event)).length,
    replicaSeconds: replicaSeconds(events, beganAt, until),
    mostReplicas: Math.max(0, ...looks.filter(during).map(({ status }) => tally(status).inUse)),
    lastReplicas: (last?.ready ?? 0) + (last?.starting ?? 0),
    secondsOver: series.filter(({ p95Ms = 0, aboveMs }) => p95Ms > aboveMs).length,
    arrivals: samples.length,
    answered: count('answered'),
    shed: count('shed'),
    errors: count('errors'),
    lost: count('lost'),
    series,
    decisions: decisions.filter(({ at }) => during({ at: Date.parse(at) })),
  };
}

type Ending = 'answered' | 'shed' | 'errors' | 'lost';

/** The proxy refuses with 503 and times out with 504, and an app sheds with 503: whatever else fails is an error. */
function endingOf({ status }: Sample): Ending {
  if (status === 0) return 'lost';
  if (status === 503 || status === 504) return 'shed';
  return status >= 500 ? 'errors' : 'answered';
}

function pointOf(seen: Seen, second: number): SecondPoint {
  const { beganAt, samples, looks, aboveMs, quantile } = seen;
  const from = beganAt + second * 1000;
  const to = from + 1000;
  const ended = samples.filter(({ endedAt }) => endedAt > from && endedAt <= to);
  const waiting = samples.filter(({ dueAt, endedAt }) => dueAt <= to && endedAt > to);
  const recent = samples.filter(({ endedAt }) => endedAt > to - QUANTILE_MS && endedAt <= to);
  const times = [...recent.map(latencyOf), ...waiting.map(({ dueAt }) => to - dueAt)].sort((a, b) => a - b);
  const at = (q: number) => times[Math.max(0, Math.ceil(q * times.length) - 1)];
  const status = looks.findLast((look) => look.at <= to)?.status;
  const { ready, starting, retiring } = tally(status);
  const count = (kind: Ending) => ended.filter((sample) => endingOf(sample) === kind).length;
  return {
    second,
    arrivals: samples.filter(({ dueAt }) => dueAt > from && dueAt <= to).length,
    answered: count('answered'),
    shed: count('shed'),
    errors: count('errors'),
    lost: count('lost'),
    ready,
    starting,
    retiring,
    inFlight: status?.inFlight ?? 0,
    queued: status?.held ?? 0,
    p50Ms: at(0.5),
    p95Ms: at(quantile),
    aboveMs,
  };
}

function tally(status: ServiceStatus | undefined) {
  const states = status?.replicas.map(({ state }) => state) ?? [];
  const count = (...of: string[]) => states.filter((state) => of.includes(state)).length;
  const [ready, starting, retiring] = [count('ready'), count('starting'), count('cordoned', 'draining', 'stopping')];
  return { ready, starting, retiring, inUse: ready + starting };
}

/** From each boot to the exit, over all replicas, s. */
function replicaSeconds(events: readonly MimicEvent[], from: number, until: number): number {
  const exits = new Map(events.filter(({ event }) => event === 'exit').map(({ boot, at }) => [boot, at]));
  const lives = events.filter(({ event }) => event === 'boot').map(({ boot, at }) => [at, exits.get(boot) ?? until]);
  return (
    lives.reduce((sum, [start = 0, end = 0]) => sum + Math.max(0, Math.min(end, until) - Math.max(start, from)), 0) /
    1000
  );
}
