import type { ServiceOutcome } from '../../src/simulate/outcome.ts';
import type { Played } from './play.ts';
import { type Check, holds, type ScalingScenario } from './scenario.ts';

/** What a scenario came to. */
export interface Result {
  scenario: ScalingScenario;
  real: readonly ServiceOutcome[];
  /** By seed; empty where it is not simulated. */
  simulated: readonly (readonly ServiceOutcome[])[];
  /** What `pilotlight replay` says of the journal; undefined where nothing real ran. */
  replayed: Played['replayed'] | undefined;
}

/** Whether all is as it may be, and every decision follows from what it was made on. */
export function isHeld({ scenario, real, replayed }: Result): boolean {
  return scenario.checks.every((check) => holds(check, check.of(real))) && replayed?.isSame !== false;
}

const COLUMNS = ['scenario', 'asked', 'most', 'last', 'starts', 's over', 'errors/lost', 'shed', 'verdict'];

/** One scenario, as lines: each figure beside its bounds and the simulation's, and the replicas over time. */
export function accountOf({ scenario, real, simulated, replayed }: Result): string[] {
  const lines = scenario.checks.map((check) => {
    const figure = check.of(real);
    const seeds = simulated.map((services) => check.of(services));
    const beside = seeds.length === 0 ? '' : `; simulated ${spread(seeds)}`;
    return `  ${holds(check, figure) ? '✓' : '✗'} ${check.name}: ${figure}${beside}; may be ${bounds(check)}`;
  });
  const replay = replayed === undefined ? [] : [`  ${replayed.isSame ? '✓' : '✗'} replay: ${replayed.summary}`];
  const courses = real.map((service) => `  replicas of ${service.service}: ${courseOf(service)}`);
  return [...lines, ...replay, ...courses];
}

/** All scenarios as one table in Markdown: real figures, and behind the slash the median of the simulated ones. */
export function tableOf(results: readonly Result[]): string[] {
  const rows = results.map(({ scenario, real, simulated }) => {
    const cell = (of: (services: readonly ServiceOutcome[]) => number) => {
      const seeds = simulated.map(of);
      return seeds.length === 0 ? `${of(real)} / –` : `${of(real)} / ${median(seeds)}`;
    };
    const total = (of: (service: ServiceOutcome) => number) =>
      cell((all) => all.reduce((sum, one) => sum + of(one), 0));
    const most = (of: (service: ServiceOutcome) => number) => cell((all) => Math.max(...all.map(of)));
    const broken = scenario.checks.filter((check) => !holds(check, check.of(real)));
    return [
      scenario.name,
      scenario.asked,
      most((one) => one.mostReplicas),
      most((one) => one.lastReplicas),
      total((one) => one.starts),
      total((one) => one.secondsOver),
      total((one) => one.errors + one.lost),
      total((one) => one.shed),
      broken.length === 0
        ? 'holds'
        : broken.map((check) => `${check.name}: ${check.of(real)}, may be ${bounds(check)}`).join('; '),
    ];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(COLUMNS), line(COLUMNS.map(() => '---')), ...rows.map(line)];
}

/** When there were how many replicas in use: `1, 25 s: 2, 31 s: 3`. */
function courseOf({ series }: ServiceOutcome): string {
  const changes = series.filter((point, index) => inUse(point) !== inUse(series[index - 1]));
  return changes
    .map((point) => (point.second === 0 ? `${inUse(point)}` : `${point.second} s: ${inUse(point)}`))
    .join(', ');
}

function inUse(point: ServiceOutcome['series'][number] | undefined): number {
  return point === undefined ? -1 : point.ready + point.starting;
}

function bounds({ least = 0, most }: Check): string {
  if (most === Number.POSITIVE_INFINITY) return `${least} or more`;
  return least === most ? `${most}` : `${least} to ${most}`;
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0;
}

function spread(figures: readonly number[]): string {
  return `${median(figures)} (${Math.min(...figures)}–${Math.max(...figures)})`;
}
