import type {
  CompressionReport,
  CountedOfService,
  EdgeReport,
  LateTotals,
  SessionsReport,
} from '../../../model/link.ts';
import { mergeSparse, type SparseCounts } from '../../../util/histogram.ts';

type Counts = Partial<Record<string, number>>;

/**
 * Adds up what an edge reports while nobody leads it, as one report of what is counted: it grows with the services that
 * there are, and not with the time.
 */
export class LateReports {
  #totals: Omit<LateTotals, 'type' | 'services'> | undefined;
  readonly #services = new Map<string, CountedOfService>();

  add(report: EdgeReport): void {
    const { unrouted, accessLost, tracesLost = 0, handshakes, http2Cut, sessions } = report;
    const before = this.#totals;
    this.#totals = {
      unrouted: codesOf(before?.unrouted, unrouted),
      accessLost: (before?.accessLost ?? 0) + accessLost,
      tracesLost: (before?.tracesLost ?? 0) + tracesLost,
      handshakes: sums(before?.handshakes, handshakes),
      http2Cut: sums(before?.http2Cut, http2Cut),
      sessions: sessionsOf(before?.sessions, sessions),
    };
    for (const each of report.services) this.#addService(each);
  }

  /** All of it, which begins anew; undefined where nothing was reported. */
  take(): LateTotals | undefined {
    const totals = this.#totals;
    if (totals === undefined) return undefined;
    this.#totals = undefined;
    const services = [...this.#services.values()];
    this.#services.clear();
    return { type: 'late', ...totals, services };
  }

  #addService({ service, codes, total, ttfb, retries, holdRejected, sessions, compression }: CountedOfService): void {
    const before = this.#services.get(service);
    this.#services.set(service, {
      service,
      codes: codesOf(before?.codes, codes),
      total: mergeSparse(before?.total ?? [], total),
      ttfb: mergeSparse(before?.ttfb ?? [], ttfb),
      retries: (before?.retries ?? 0) + retries,
      holdRejected: sums(before?.holdRejected, holdRejected) as CountedOfService['holdRejected'],
      sessions: sessionsOf(before?.sessions, sessions),
      compression: compressionOf(before?.compression, compression),
    });
  }
}

function sums(a: Counts = {}, b: Counts = {}): Record<string, number> {
  const all = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(all.map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]));
}

/** Statuses are in no order. */
function codesOf(a: SparseCounts = [], b: SparseCounts = []): SparseCounts {
  const all = new Map<number, number>();
  for (const counts of [a, b]) {
    for (let i = 0; i + 1 < counts.length; i += 2) {
      const code = counts[i] as number;
      all.set(code, (all.get(code) ?? 0) + (counts[i + 1] as number));
    }
  }
  return [...all].flat();
}

function sessionsOf(a: SessionsReport | undefined, b: SessionsReport | undefined): SessionsReport | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { ended: sums(a.ended, b.ended), bytesIn: a.bytesIn + b.bytesIn, bytesOut: a.bytesOut + b.bytesOut };
}

function compressionOf(
  a: CompressionReport | undefined,
  b: CompressionReport | undefined,
): CompressionReport | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const coded = { ...a.coded };
  for (const [coding, more] of Object.entries(b.coded) as [keyof typeof coded, NonNullable<(typeof coded)['gzip']>][]) {
    coded[coding] = sums(coded[coding], more) as typeof more;
  }
  return { coded, refused: a.refused + b.refused };
}
