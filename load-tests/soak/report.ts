import type { Holdings } from './census.ts';
import type { Disturbance } from './disturber.ts';
import type { Counts, Failure } from './ledger.ts';

interface JudgedFailure extends Failure {
  /** Where it went last, as the access log has it; null when nowhere, or when the log has no failure of it. */
  endpoint: string | null;
  /** Why it is no fault of the proxy; undefined where it is one. */
  explanation: string | undefined;
}

/** What a soak saw. */
export interface SoakReport {
  byKind: Record<string, Counts>;
  total: Counts;
  failures: JudgedFailure[];
  disturbances: Record<Disturbance, number>;
  /** Events of the proxy, by their type. */
  events: Record<string, number>;
  /** When everything was quiet: after the warm-up, and at the end. */
  before: Holdings;
  after: Holdings;
}

/** Growth of what is still held after a garbage collection, per process, MiB: compiled code and histograms. */
const HEAP_GROWTH_MIB = 8;
/** Growth of resident memory, per process, MiB: the same, and what the allocator keeps for later. */
const RESIDENT_GROWTH_MIB = 48;

/** Everything that must not be, a line each; none when the proxy did all right. */
export function defectsOf({ total, failures, before, after }: SoakReport): string[] {
  const unexplained = failures.filter(({ explanation }) => explanation === undefined);
  const unanswered = total.sent - total.answered - total.aborted - total.failed;
  return [
    ...unexplained.map(describe),
    ...(unanswered === 0 ? [] : [`${unanswered} requests neither answered nor failed`]),
    ...growth(before, after),
  ];
}

function describe({ id, kind, service, endpoint, reason, sentAt, endedAt }: JudgedFailure): string {
  const [from, to] = [sentAt, endedAt].map((at) => new Date(at).toISOString());
  return `${kind} ${id} to ${service} (${endpoint ?? 'no endpoint'}) failed unexplained, ${from} to ${to}: ${reason}`;
}

/** What was held more at the end than at the start, and more than it may. */
export function growth(before: Holdings, after: Holdings): string[] {
  const { processes } = before;
  const bounds: Record<keyof Holdings, number> = {
    processes: 0,
    sockets: 0,
    timers: 0,
    heapMiB: HEAP_GROWTH_MIB * processes,
    residentMiB: RESIDENT_GROWTH_MIB * processes,
  };
  return Object.entries(bounds).flatMap(([what, bound]) => {
    const [from, to] = [before[what as keyof Holdings], after[what as keyof Holdings]];
    return to - from > bound ? [`${what}: ${from.toFixed(1)} at the start, ${to.toFixed(1)} at the end`] : [];
  });
}

/** The report for people. */
export function renderReport(report: SoakReport): string {
  const { byKind, total, failures, disturbances, events } = report;
  const rows = Object.entries({ ...byKind, 'all together': total });
  const requests = rows.map(
    ([kind, { sent, answered, aborted, failed }]) =>
      `  ${kind.padEnd(16)} ${sent} sent, ${answered} answered, ${aborted} aborted by the client, ${failed} failed`,
  );
  const reasons = countBy(failures.map(({ reason, explanation }) => `${reason} (${explanation ?? 'UNEXPLAINED'})`));
  return [
    'requests:',
    ...requests,
    `failed: ${list(reasons) || 'none'}`,
    `done to the proxy: ${list(disturbances)}`,
    `events: ${list(events)}`,
    ...renderHoldings(report),
  ].join('\n');
}

export function renderHoldings({ before, after }: { before: Holdings; after: Holdings }): string[] {
  return Object.keys(before).map((what) => {
    const [from, to] = [before[what as keyof Holdings], after[what as keyof Holdings]];
    return `${what}: ${Math.round(from)} when quiet at the start, ${Math.round(to)} at the end`;
  });
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

const list = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} × ${name}`)
    .join(', ');
