import type { Outcome, SecondPoint } from '../outcome.ts';
import { changeText, decidedAt } from './figures.ts';

/** One line of a plot. */
export interface Line {
  label: string;
  colour: string;
  /** A value per second; null where there is none. */
  values: (number | null)[];
  dashed?: true;
}

/** What is seen of a policy from one side. */
export interface Plot {
  title: string;
  /** What the numbers are. */
  unit: string;
  lines: Line[];
  /** Top of the scale, the same for all policies. */
  most: number;
  marks: Mark[];
}

/** A decision on the axis of time. */
export interface Mark {
  second: number;
  up: boolean;
  /** What was decided and why, then what each guard said, a line each. */
  lines: string[];
}

/** A policy with its plots, from top to bottom. */
export interface Column {
  heading: string;
  seconds: number[];
  plots: Plot[];
}

interface PlotSpec {
  title: string;
  unit: string;
  lines: { label: string; colour: string; dashed?: true; of: (point: SecondPoint) => number | undefined }[];
}

const BLUE = '#3b82f6';
const GREEN = '#16a34a';
const ORANGE = '#d97706';
const RED = '#dc2626';
const GREY = '#6b7280';

const PLOTS: readonly PlotSpec[] = [
  {
    title: 'Replicas',
    unit: 'at the end of each second',
    lines: [
      { label: 'ready', colour: GREEN, of: ({ ready }) => ready },
      { label: 'starting', colour: ORANGE, of: ({ starting }) => starting },
      { label: 'retiring', colour: GREY, of: ({ retiring }) => retiring },
    ],
  },
  {
    title: 'Requests',
    unit: 'per second',
    lines: [
      { label: 'arrivals', colour: BLUE, of: ({ arrivals }) => arrivals },
      { label: 'answered', colour: GREEN, of: ({ answered }) => answered },
    ],
  },
  {
    title: 'Time to first byte',
    unit: 'ms, over 5 s',
    lines: [
      { label: 'p95', colour: BLUE, of: ({ p95Ms }) => p95Ms },
      { label: 'p50', colour: GREEN, of: ({ p50Ms }) => p50Ms },
      { label: 'threshold', colour: RED, dashed: true, of: ({ aboveMs }) => aboveMs },
    ],
  },
  {
    title: 'Not answered as wished',
    unit: 'per second',
    lines: [
      { label: 'shed', colour: ORANGE, of: ({ shed }) => shed },
      { label: 'errors', colour: RED, of: ({ errors }) => errors },
      { label: 'lost', colour: GREY, of: ({ lost }) => lost },
    ],
  },
];

/** A column for each policy and service, on scales that can be compared. */
export function columnsOf(outcomes: readonly Outcome[]): Column[] {
  const columns = outcomes.flatMap(({ policy, services }) =>
    services.map(({ service, series, decisions }): Column => {
      const marks = decisions.map((decision) => ({
        second: decidedAt(decision),
        up: decision.to > decision.from,
        lines: [
          `${decidedAt(decision).toFixed(1)} s: ${changeText(decision)}: ${decision.reason}`,
          ...decision.verdicts.map(({ guard, verdict, detail }) => `${guard} ${verdict}: ${detail}`),
        ],
      }));
      return {
        heading: services.length === 1 ? policy : `${policy}, ${service}`,
        seconds: series.map(({ second }) => second),
        plots: PLOTS.map(({ title, unit, lines }, index) => ({
          title,
          unit,
          lines: lines.map(({ of, ...line }) => ({ ...line, values: series.map((point) => of(point) ?? null) })),
          most: 1,
          marks: index === 0 ? marks : [],
        })),
      };
    }),
  );
  for (const [row] of PLOTS.entries()) {
    const plots = columns.map(({ plots }) => plots[row] as Plot);
    const most = plots.reduce((top, { lines }) => Math.max(top, highest(lines)), 1);
    for (const plot of plots) plot.most = most * 1.05;
  }
  return columns;
}

function highest(lines: readonly Line[]): number {
  return lines.reduce((top, { values }) => values.reduce<number>((most, value) => Math.max(most, value ?? 0), top), 0);
}
