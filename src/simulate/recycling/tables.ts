import type { FrontPlot } from '../report/draw-fronts.ts';
import type { FrontReport } from '../report/front-page.ts';
import { type PolicyOutcome, type Standing, standingOf } from './compare.ts';
import { type KeepTotals, noTotals } from './replay.ts';
import { type CallerClass, CLASSES } from './workload.ts';

/** What was compared: policies with their outcomes, ours by rising weight. */
export interface Comparison {
  ours: readonly PolicyOutcome[];
  rivals: readonly PolicyOutcome[];
  /** The policy of ours that is used where nothing else is asked for. */
  usual?: string | undefined;
}

export const HEAD = ['policy', 'memory, GiB × h', 'users waited, s', 'starts', 'calls that waited'] as const;
export const STANDING_HEAD = ['ours against', 'memory at equal waiting', 'waiting at equal memory', ''] as const;
const COLOURS = ['#dc2626', '#d97706', '#16a34a', '#6b7280', '#9333ea', '#0891b2'];
const OURS = '#3b82f6';

/** All services, and each kind that there is, with what each policy came to there. */
export function partsOf({ ours, rivals }: Comparison): { part: string; comparison: Totals }[] {
  const kinds = CLASSES.filter((kind) => rivals[0]?.classes.has(kind));
  const of = (kind: CallerClass | undefined): Totals => {
    const totals = ({ policy, all, classes }: PolicyOutcome) => ({
      policy,
      totals: kind === undefined ? all : (classes.get(kind) ?? noTotals()),
    });
    return { ours: ours.map(totals), rivals: rivals.map(totals) };
  };
  const parts = kinds.length > 1 ? kinds.map((kind) => ({ part: kind, comparison: of(kind) })) : [];
  return [{ part: 'all services', comparison: of(undefined) }, ...parts];
}

export interface Totals {
  ours: { policy: string; totals: KeepTotals }[];
  rivals: { policy: string; totals: KeepTotals }[];
}

export function rowsOf({ ours, rivals }: Totals): string[][] {
  return [...rivals, ...ours].map(({ policy, totals }) => [
    policy,
    gibHours(totals).toFixed(1),
    totals.waitedSeconds.toFixed(0),
    String(totals.starts),
    `${((100 * totals.delayed) / Math.max(1, totals.calls)).toFixed(2)} %`,
  ]);
}

/** How ours stands to each rival. */
export function standingsOf({ ours, rivals }: Totals): { rival: string; standing: Standing; isBetter: boolean }[] {
  const front = ours.map(({ totals }) => totals);
  return rivals.map(({ policy, totals }) => {
    const standing = standingOf(front, totals);
    return {
      rival: policy,
      standing,
      isBetter: isBetter(standing),
    };
  });
}

/** Where the rival lets users wait as little as anybody could, as for the first calls alone, less is not to be had. */
function isBetter({ memoryAtEqualWaiting: memory, waitingAtEqualMemory: waiting }: Standing): boolean {
  return memory <= 1 && waiting <= 1 && Math.min(memory, waiting) < 1;
}

export function standingRows(totals: Totals): string[][] {
  return standingsOf(totals).map(({ rival, standing, isBetter }) => [
    rival,
    standing.memoryAtEqualWaiting.toFixed(2),
    standing.waitingAtEqualMemory.toFixed(2),
    isBetter ? '' : '✗',
  ]);
}

/** The tables and fronts as a page. */
export function frontReport(title: string, notes: readonly string[], comparison: Comparison): FrontReport {
  const sections = partsOf(comparison).map(({ part, comparison: totals }) => ({
    heading: part,
    head: HEAD,
    rows: rowsOf(totals),
    standingHead: STANDING_HEAD,
    standings: standingRows(totals),
    plot: plotOf(part, totals, comparison.usual),
  }));
  return { title, notes, sections };
}

function plotOf(title: string, { ours, rivals }: Totals, usual: string | undefined): FrontPlot {
  const marked = ours.filter(({ policy }) => policy === usual);
  const singles = [...rivals, ...marked];
  const points = [...ours.map((one) => ({ ...one, line: 0 })), ...singles.map((one, i) => ({ ...one, line: i + 1 }))]
    .map(({ totals, line }) => ({ line, waited: Math.max(1, totals.waitedSeconds), memory: gibHours(totals) }))
    .sort((a, b) => a.waited - b.waited);
  const memoryOf = (line: number) => points.map((point) => (point.line === line ? point.memory : null));
  return {
    title,
    waited: points.map(({ waited }) => waited),
    lines: [
      { label: 'auto', colour: OURS, isFront: true, memory: memoryOf(0) },
      ...singles.map(({ policy }, i) => ({
        label: policy === usual ? `${policy} (the default)` : policy,
        colour: policy === usual ? OURS : (COLOURS[i % COLOURS.length] as string),
        isFront: false,
        memory: memoryOf(i + 1),
      })),
    ],
  };
}

function gibHours({ memorySeconds }: KeepTotals): number {
  return memorySeconds / 1024 / 3600;
}
