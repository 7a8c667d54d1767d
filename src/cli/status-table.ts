import Table from 'cli-table3';
import type { Decision, HeldBack } from '../model/decision.ts';
import { holdsCapacity } from '../model/replica.ts';
import type { LastActivity, ReplicaStatus, ServiceStatus } from '../model/status.ts';
import { bytesText, percent } from '../util/format.ts';
import { formatDuration } from '../util/units.ts';
import { frozenText } from './freeze.ts';
import { imageLines } from './image-lines.ts';
import { noLines } from './plain-table.ts';
import { troubleLines } from './trouble-lines.ts';

const COLUMNS = [
  'service',
  'state',
  'replicas',
  'memory',
  'in flight',
  'held',
  'p95',
  'last activity',
  'last decision',
];
const NUMBERS: ReadonlySet<string> = new Set(['memory', 'in flight', 'held', 'p95']);
/** Width left for the last column where the output is narrow. */
const LEAST_REASON_WIDTH = 18;
/** Most characters of a request in the table. */
const MOST_ACTIVITY = 24;
/** An output of fewer columns has no room for it. */
const WIDE = 110;
/** One of fewer has no room for the last activity at all. */
const NARROW = 100;

/**
 * The services as a table without lines.
 * @param nowMs milliseconds since the epoch, for how long ago decisions were
 * @param columns width of the output in characters
 */
export function statusTable(services: readonly ServiceStatus[], nowMs: number, columns: number): string {
  if (services.length === 0) return 'no services are configured';
  const hasMemory = columns >= WIDE && services.some(({ replicas }) => replicas.some(({ memoryMiB }) => memoryMiB));
  const leftOut = new Set([...(hasMemory ? [] : ['memory']), ...(columns < NARROW ? ['last activity'] : [])]);
  const head = COLUMNS.filter((name) => !leftOut.has(name));
  const rows = services.map((service) =>
    [
      service.name,
      service.state,
      replicasCell(service.replicas),
      memoryCell(service.replicas),
      String(service.inFlight),
      String(service.held),
      latencyCell(service, columns),
      activityCell(service.lastActivity, nowMs, columns),
      decisionCell(service, nowMs),
    ].filter((_, column) => !leftOut.has(COLUMNS[column] as string)),
  );
  const widths = head.map((name, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? name).length)));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const left = Math.max(LEAST_REASON_WIDTH, columns - before - 1);
  const below = services.map((service) => [...imageLines(service), ...troubleLines(service, nowMs)]);
  // What is said below a row may take the whole width.
  const last = below.some((lines) => lines.length > 0) ? left : Math.min(widths.at(-1) ?? 0, left);
  const table = new Table({
    head,
    colWidths: [...widths.slice(0, -1), last].map((width) => width + 2),
    colAligns: head.map((name) => (NUMBERS.has(name) ? 'right' : 'left')),
    wordWrap: true,
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
  });
  for (const [index, row] of rows.entries()) {
    table.push(row);
    const lines = (below[index] as string[]).flatMap((line) => indented(line, before + last - 1));
    for (const content of lines) table.push([{ colSpan: head.length, content }]);
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A line below a row, in as many lines as the width asks for. */
function indented(line: string, width: number): string[] {
  const lines: string[] = [];
  for (let rest = `  ${line}`; ; ) {
    if (rest.length <= width) return [...lines, rest];
    const space = rest.lastIndexOf(' ', width);
    const end = space > 4 ? space : width;
    lines.push(rest.slice(0, end));
    rest = `    ${rest.slice(end).trimStart()}`;
  }
}

/** `2`, `1 + 1 starting`: how many are ready, and what the others are about. */
function replicasCell(replicas: readonly ReplicaStatus[]): string {
  const counts = new Map<string, number>();
  for (const { state } of replicas) {
    if (holdsCapacity(state) || state === 'paused' || state === 'failed')
      counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const ready = counts.get('ready') ?? 0;
  counts.delete('ready');
  const others = [...counts].map(([state, count]) => `${count} ${state}`);
  return (ready === 0 && others.length > 0 ? others : [String(ready), ...others]).join(' + ');
}

/** `212 MiB`, or `53 MiB × 4`: what each replica takes on average. */
function memoryCell(replicas: readonly ReplicaStatus[]): string {
  const known = replicas.flatMap(({ memoryMiB }) => (memoryMiB ? [memoryMiB] : []));
  if (known.length === 0) return '–';
  const each = bytesText((known.reduce((sum, mib) => sum + mib, 0) / known.length) * 2 ** 20);
  return known.length === 1 ? each : `${each} × ${known.length}`;
}

/** `130ms (1s)`: the p95, and over what the service counts as slow. */
function latencyCell({ latencyMs: { p95 }, threshold }: ServiceStatus, columns: number): string {
  const now = p95 === null ? '–' : formatDuration(p95);
  if (!threshold || columns < WIDE) return now;
  const { quantile, aboveMs } = threshold;
  return `${now} (${quantile === 0.95 ? '' : `p${percent(quantile)} `}${formatDuration(aboveMs)})`;
}

/** `GET /orders 3s ago`, or the time alone: what last kept it awake. */
function activityCell(activity: LastActivity | null, nowMs: number, columns: number): string {
  if (activity === null) return '–';
  const { at, what } = activity;
  const ago = Math.round(Math.max(0, nowMs - Date.parse(at)) / 1000);
  const age = ago === 0 ? 'now' : `${formatDuration(ago * 1000)} ago`;
  if (columns < WIDE) return age;
  return `${what.length > MOST_ACTIVITY ? `${what.slice(0, MOST_ACTIVITY - 1)}…` : what} ${age}`;
}

function decisionCell({ lastDecision, heldBack, frozen }: ServiceStatus, nowMs: number): string {
  return (
    [frozen && frozenText(frozen), changeText(lastDecision, nowMs), heldBackText(heldBack, nowMs)]
      .filter((text) => text)
      .join('; ') || '–'
  );
}

function changeText(decision: Decision | null, nowMs: number): string {
  if (decision === null) return '';
  const { action, from, to, reason, at, dryRun } = decision;
  const change = from === to ? action : `${action} ${from}→${to}`;
  return `${change}${dryRun ? ' (dry run)' : ''}: ${reason} (${ageText(at, nowMs)} ago)`;
}

/** What keeps the next change back, in short: `why` tells it with its numbers. */
function heldBackText(heldBack: HeldBack | null, nowMs: number): string {
  if (heldBack === null) return '';
  return `held back by ${heldBack.guards.join(', ')} for ${ageText(heldBack.since, nowMs)}`;
}

function ageText(at: string, nowMs: number): string {
  return formatDuration(Math.max(0, nowMs - Date.parse(at)));
}
