import { bucketOf, type SparseCounts } from '../../util/histogram.ts';
import { type AutoAbove, type LowLoadSpan, ofOtherRun } from './auto-above.ts';
import { type Capacity, type Evidence, type Failed, noEvidence, type Seen } from './evidence.ts';
import { type Frozen, notFrozen } from './frozen.ts';

/** What scaling has learnt of one service. */
export interface Learnt {
  /** Hash of the `run` that the evidence is of. */
  run: string;
  evidence: Evidence;
  frozen: Frozen;
  auto: AutoAbove | undefined;
}

/** As what a service with this `run` begins with: evidence of another one says nothing. @param wall the wall's ms */
export function ofRun(learnt: Learnt, present: string, wall: number): Learnt {
  if (learnt.run === present) return learnt;
  const { auto } = learnt;
  return { run: present, evidence: noEvidence, frozen: notFrozen, auto: auto && ofOtherRun(auto, wall) };
}

/** Two readings of the same moment, ms: evidence goes by the clock, a file by the wall. */
export interface Moment {
  now: number;
  wall: number;
}

/** What another version wrote is not read. */
const VERSION = 2;
/** What is older says nothing any more, ms. */
export const LEARNT_MAX_AGE_MS = 7 * 86_400_000;
/** Most replicas by whose number something is kept. */
const MOST_REPLICAS = 1000;
/** Most increases in vain in a row. */
const MOST_IN_VAIN = 1e6;
/** Most entries of counts and spans: more than are ever written. */
const MOST_COUNTS = 2 * (bucketOf(Number.POSITIVE_INFINITY) + 1);
const MOST_SPANS = 100;

/** As text that `decodeLearnt` reads. All times in it are the wall's ms. */
export function encodeLearnt({ run, evidence, frozen, auto }: Learnt, { now, wall }: Moment): string {
  const ofSeen = ({ perSecond, at }: Seen) => [perSecond, Math.round(at - now + wall)];
  const ofList = <T extends Seen>(list: readonly (T | undefined)[], of: (seen: T) => number[]) =>
    list.slice(0, MOST_REPLICAS).flatMap((seen, n) => (seen === undefined ? [] : [[n, ...of(seen)]]));
  const { capacity, carried, failed, helps } = evidence;
  const { until, count, arrivals, liftedAt } = frozen;
  const isFrozen = count > 0 || until > now;
  const text = JSON.stringify({
    version: VERSION,
    at: wall,
    run,
    capacity: capacity === undefined ? null : [...ofSeen(capacity), Math.round(capacity.answers)],
    carried: ofList(carried, ofSeen),
    failed: ofList(failed, (seen) => [...ofSeen(seen), seen.forMs]),
    helps,
    frozen: isFrozen ? [Math.round(until - now + wall), count, arrivals, liftedAt] : null,
    auto: auto === undefined ? null : { ...auto, lowLoadMs: auto.lowLoadMs ?? null },
  });
  return `${text}\n`;
}

/**
 * What such a text says. Times that lie ahead, as after a clock that was set back, count as now.
 * @returns why it is of no use, in words, where it is not whole, of another version or too old
 */
export function decodeLearnt(text: string, { now, wall }: Moment): Learnt | string {
  try {
    const file = record(JSON.parse(text), 'version');
    if (file['version'] !== VERSION) return `it is of version ${JSON.stringify(file['version'])}, not ${VERSION}`;
    if (wall - number(file['at'], 'at') > LEARNT_MAX_AGE_MS) return 'it is too old';
    const seen = (value: unknown, what: string): Seen => {
      const [perSecond, at] = list(value, 2, what);
      return { perSecond: number(perSecond, what), at: now - Math.max(0, wall - number(at, what)) };
    };
    const capacityOf = (value: unknown): Capacity => {
      const [perSecond, at, answers] = list(value, 3, 'capacity');
      return { ...seen([perSecond, at], 'capacity'), answers: number(answers, 'capacity') };
    };
    const failure = (value: unknown, what: string): Failed => {
      const [perSecond, at, forMs] = list(value, 3, what);
      return { ...seen([perSecond, at], what), forMs: number(forMs, what) };
    };
    const byReplicas = <T>(what: string, of: (value: unknown, what: string) => T): (T | undefined)[] => {
      const all: (T | undefined)[] = [];
      for (const entry of list(file[what], MOST_REPLICAS, what)) {
        const [n, ...rest] = list(entry, 4, what);
        const index = count(n, MOST_REPLICAS - 1, what);
        while (all.length < index) all.push(undefined);
        all[index] = of(rest, what);
      }
      return all;
    };
    const frozenOf = (value: unknown): Frozen => {
      const [until, inARow, arrivals, liftedAt] = list(value, 4, 'frozen');
      return {
        until: now - wall + number(until, 'frozen'),
        count: count(inARow, MOST_IN_VAIN, 'frozen'),
        arrivals: number(arrivals, 'frozen'),
        liftedAt: number(liftedAt, 'frozen'),
      };
    };
    const { run, capacity, helps, frozen, auto } = file;
    if (typeof run !== 'string' || typeof helps !== 'boolean') throw new Fault('run or helps');
    return {
      run,
      evidence: {
        capacity: capacity === null ? undefined : capacityOf(capacity),
        carried: byReplicas('carried', seen),
        failed: byReplicas('failed', failure),
        helps,
      },
      frozen: frozen === null ? notFrozen : frozenOf(frozen),
      auto: auto === null ? undefined : autoOf(record(auto, 'auto')),
    };
  } catch (error) {
    return error instanceof Fault ? `"${error.message}" is not as it was written` : 'it is no JSON';
  }
}

function autoOf({ quantile, lowLoadMs, since, counts, spans }: Record<string, unknown>): AutoAbove {
  return {
    quantile: number(quantile, 'quantile'),
    lowLoadMs: lowLoadMs === null ? undefined : number(lowLoadMs, 'lowLoadMs'),
    since: number(since, 'since'),
    counts: countsOf(counts, 'counts'),
    spans: list(spans, MOST_SPANS, 'spans').map((value): LowLoadSpan => {
      const { from, values } = record(value, 'spans');
      return { from: number(from, 'spans'), values: countsOf(values, 'spans') };
    }),
  };
}

class Fault extends Error {}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Fault(what);
  return value as Record<string, unknown>;
}

function list(value: unknown, most: number, what: string): unknown[] {
  if (!Array.isArray(value) || value.length > most) throw new Fault(what);
  return value;
}

function number(value: unknown, what: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new Fault(what);
  return value;
}

function count(value: unknown, most: number, what: string): number {
  if (!Number.isInteger(value) || number(value, what) > most) throw new Fault(what);
  return value as number;
}

/** Buckets in rising order, each with how many there are. */
function countsOf(value: unknown, what: string): SparseCounts {
  const counts = list(value, MOST_COUNTS, what);
  if (counts.length % 2 !== 0) throw new Fault(what);
  let last = -1;
  return counts.map((entry, i) => {
    if (i % 2 === 1) return count(entry, Number.MAX_SAFE_INTEGER, what);
    const bucket = count(entry, MOST_COUNTS / 2 - 1, what);
    if (bucket <= last) throw new Fault(what);
    last = bucket;
    return bucket;
  });
}
