import type { ForecastWhy, IdleCost, IdleWhy, ScheduleStatus, StandbyWhy } from '../model/idle.ts';
import { counted, percent } from '../util/format.ts';
import { formatDuration } from '../util/units.ts';

/** How long an idle service is kept, what that costs, and what would change it, a line each. */
export function idleLines(idle: IdleWhy): string[] {
  const { mode, keepMs, weight, expected, raise } = idle;
  const kept = keepMs === 'never' ? 'never put to sleep' : `kept for ${formatDuration(keepMs)}`;
  const how = mode === 'fixed' ? 'as configured' : `auto, weight ${weight}: ${sourceText(idle)}`;
  const lines = [`idle: ${kept} (${how})`];
  if (idle.standby) lines.push(`  ${standbyText(idle.standby)}`);
  if (raise > 1) {
    lines.push('  longer than it pays: its wakes take more than their share of the starts');
  }
  if (expected !== null) {
    const { kept: chosen, atOnce, never } = expected;
    const share = chosen.wakes === 0 ? '' : ` (${percent(chosen.wakes)} % of the gaps)`;
    lines.push(
      `  a gap costs on average ${formatDuration(chosen.idleMs)} of an idle replica and ` +
        `${formatDuration(chosen.wakesMs)} for wakes${share}; put to sleep at once ${sumText(atOnce)}, never ${sumText(never)}`,
    );
  }
  // A proxy of an earlier version tells of none.
  if (idle.forecast) lines.push(`  ${forecastText(idle.forecast)}`);
  const others = idle.byWeight.filter((other) => mode === 'fixed' || other.weight !== weight);
  const texts = others.map((other) => `${formatDuration(other.keepMs)} with a weight of ${other.weight}`);
  lines.push(`  auto would keep it for ${texts.join(', ')}`);
  return lines;
}

/** What the schedule asks for. */
export function scheduleLine({ min, until, nextAt }: ScheduleStatus): string {
  const now = until === null ? 'no window is open' : `at least ${counted(min, 'replica')} until ${timeText(until)} UTC`;
  return `schedule: ${now}${nextAt === null ? '' : `; the next window opens ${timeText(nextAt)} UTC`}`;
}

function forecastText({ right, wrong, isTrusted, from, until, refused }: ForecastWhy): string {
  const past = `of calls that were expected ${right} came in time and ${wrong} did not, lately`;
  if (!isTrusted) return `${past}; not started ahead of calls`;
  // A proxy of an earlier version tells of no such thing.
  if (refused) return `${past}; not started ahead of the next one: ${refused}`;
  if (from === null || until === null) return past;
  return `${past}; started ahead of the next one (${timeText(from)} to ${timeText(until).slice(11)} UTC)`;
}

/** `2026-11-29 10:00:00` of ISO 8601. */
function timeText(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

function sourceText({ mode, gaps, siblingGaps, startMs, stopMs, waitMs }: IdleWhy): string {
  const known = [
    startMs === null ? 'no start seen yet' : `a start takes ${formatDuration(startMs)}`,
    ...(stopMs === null ? [] : [`a stop ${formatDuration(stopMs)}`]),
    ...(waitMs === null ? [] : [`${formatDuration(waitMs)} are waited per wake`]),
  ];
  const seen = `${counted(gaps, 'gap')} known`;
  return [mode === 'learning' ? `${seen}, too few to go by${besideText(siblingGaps)}` : seen, ...known].join('; ');
}

/** What it goes by while its own gaps are too few. */
function besideText(siblingGaps: number): string {
  return siblingGaps > 0 ? ` alone: also by ${counted(siblingGaps, 'gap')} of services like it` : '';
}

function standbyText({ pausedMs, resumeMs, pausedCost }: StandbyWhy): string {
  const resume =
    resumeMs === null ? 'it was not seen yet how fast one goes on' : `goes on in ${formatDuration(resumeMs)}`;
  if (pausedMs === 0)
    return `then stopped at once, as pausing does not pay (at ${percent(pausedCost)} % of a ready replica)`;
  if (pausedMs === 'ever') return `then paused (${resume})`;
  const kept = `then paused for ${formatDuration(pausedMs)}, at ${percent(pausedCost)} % of a ready replica`;
  return `${kept}, and stopped (${resume})`;
}

function sumText({ idleMs, wakesMs }: IdleCost): string {
  return formatDuration(idleMs + wakesMs);
}
