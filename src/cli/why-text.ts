import type { DecisionEntry, GuardVerdict, HeldBack, ServiceWhy } from '../model/decision.ts';
import { counted } from '../util/format.ts';
import { printable } from '../util/printable.ts';
import { formatDuration } from '../util/units.ts';
import { idleLines, scheduleLine } from './idle-text.ts';
import { inputTexts } from './input-texts.ts';
import { thresholdText } from './threshold-text.ts';

/** Where everything but times begins. */
const INDENT = ' '.repeat(10);
const LONGEST_LINE = 1000;

/**
 * Decisions for people, in the order of time: when, what, why, what each guard said, the numbers, what came of it.
 * @param most so many of the last are shown
 * @param nowMs milliseconds since the epoch
 * @param columns width of the output in characters
 */
export function whyText(
  { service, decisions, heldBack, threshold, idle, schedule }: ServiceWhy,
  most: number,
  nowMs: number,
  columns: number,
): string {
  const shown = decisions.slice(-most);
  // A proxy of an earlier version tells of none of these.
  const slow = [
    ...(threshold ? [thresholdText(threshold)] : []),
    ...(schedule ? [scheduleLine(schedule)] : []),
    ...(idle ? idleLines(idle) : []),
  ].flatMap((line) => wrapped('', line, columns, 4));
  if (shown.length === 0 && heldBack === null) return [`nothing was decided about ${service}`, ...slow].join('\n');
  const lines: string[] = [];
  const left = decisions.length - shown.length;
  if (left > 0) lines.push(`the last ${shown.length} of ${decisions.length}; --since DURATION shows more`, '');
  let day = '';
  for (const entry of shown) {
    const date = dayOf(new Date(entry.at));
    if (date !== day) lines.push(date);
    day = date;
    lines.push(...entryLines(entry, nowMs, columns), '');
  }
  if (heldBack !== null) lines.push(...heldBackLines(heldBack, nowMs, columns));
  else if (slow.length === 0) lines.pop();
  lines.push(...slow);
  return lines.join('\n');
}

function entryLines(entry: DecisionEntry, nowMs: number, columns: number): string[] {
  const { at, action, from, to, reason, dryRun, verdicts, inputs } = entry;
  const what = action === 'none' ? `held back at ${from}` : from === to ? action : `${action} ${from}→${to}`;
  const head = `${timeOf(new Date(at))}  ${what}${dryRun ? ' (dry run)' : ''}: `;
  const numbers = inputTexts(inputs);
  return [
    ...wrapped(head, reason, columns, 12),
    ...verdictLines(verdicts, columns),
    ...(numbers.length === 0 ? [] : wrapped(`${INDENT}with `, numbers.map(unbroken).join(', '), columns, 15)),
    ...wrapped(`${INDENT}→ `, cameOf(entry, nowMs), columns, 12),
  ];
}

/** Guard, verdict and numbers, each in a column. */
function verdictLines(verdicts: readonly GuardVerdict[], columns: number): string[] {
  const width = Math.max(0, ...verdicts.map(({ guard }) => guard.length));
  return verdicts.flatMap(({ guard, verdict, detail }) => {
    const head = `${INDENT}${guard.padEnd(width)}  ${verdict.padEnd(5)}  `;
    return wrapped(head, detail, columns, head.length);
  });
}

function cameOf(entry: DecisionEntry, nowMs: number): string {
  if (entry.action !== 'none') {
    if (entry.outcome === null) return '';
    const after = Date.parse(entry.outcome.at) - Date.parse(entry.at);
    return `${entry.outcome.text} (after ${wholeSeconds(after)})`;
  }
  const { ended } = entry;
  if (ended === null) return `stands since ${wholeSeconds(nowMs - Date.parse(entry.at))}`;
  const over = `over after ${wholeSeconds(ended.lastedMs)}`;
  return ended.ticks === null
    ? `${over} at most: the proxy ended meanwhile`
    : `${over}, ${counted(ended.ticks, 'tick')}`;
}

function heldBackLines({ since, guards, reason }: HeldBack, nowMs: number, columns: number): string[] {
  const head = `held back now by ${guards.join(', ')}, for ${wholeSeconds(nowMs - Date.parse(since))}: `;
  return wrapped(head, reason, columns, 2);
}

/** Stands for a space at which no line ends. */
const UNBROKEN = '\u00a0';

function unbroken(text: string): string {
  return text.replaceAll(' ', UNBROKEN);
}

function wholeSeconds(ms: number): string {
  return formatDuration(ms < 1000 ? Math.max(0, ms) : Math.round(ms / 1000) * 1000);
}

/**
 * A text behind a head, in as many lines as the width asks for; none where there is no text.
 * @param indent of the lines after the first
 */
function wrapped(head: string, text: string, columns: number, indent: number): string[] {
  if (text === '') return [];
  const lines: string[] = [];
  let rest = printable(`${head}${text}`, LONGEST_LINE);
  for (;;) {
    if (rest.length <= columns) return [...lines, rest].map((line) => line.replaceAll(UNBROKEN, ' '));
    const space = rest.lastIndexOf(' ', columns);
    const end = space > Math.max(indent, lines.length === 0 ? head.length : indent) ? space : columns;
    lines.push(rest.slice(0, end));
    rest = ' '.repeat(Math.min(indent, columns - 20)) + rest.slice(end).trimStart();
  }
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Local, as times are. */
function dayOf(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function timeOf(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
