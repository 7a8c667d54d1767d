import type { ServiceStatus } from '../model/status.ts';
import { counted } from '../util/format.ts';
import { printable } from '../util/printable.ts';
import { formatDuration } from '../util/units.ts';
import { statusTable } from './status-table.ts';

/** What a proxy says of its services. */
export interface Answer {
  services: readonly ServiceStatus[];
  /** Lines below the table. */
  below: readonly string[];
}

/** What the live table shows. */
export interface WatchState {
  url: string;
  /** The last one. */
  answer: Answer;
  /** When that came, ms since the epoch. */
  answeredAt: number;
  /** Why there is no answer now; undefined: there is. */
  trouble: string | undefined;
  /** Lines of the table above the first that is shown. */
  offset: number;
}

interface WatchView {
  /** No more than there are rows, none wider than the columns. */
  lines: string[];
  /** Largest offset that shows something. */
  lastOffset: number;
}

/** Room for the other columns of the table; a name has what is left, at least this much. */
const OTHER_COLUMNS = 64;
const LEAST_NAME = 16;
const KEYS = 'arrows move, q ends';

/** The screen: a line on the proxy, the head of the table, as much of it as there is room for, a line on the keys. */
export function watchView(state: WatchState, now: number, columns: number, rows: number): WatchView {
  const { answer, offset } = state;
  const services = answer.services.map((service) => ({ ...service, name: shortened(service.name, columns) }));
  const table = [...statusTable(services, now, columns).split('\n'), ...answer.below];
  const [head = '', ...body] = table;
  const room = Math.max(1, rows - 3);
  const lastOffset = Math.max(0, body.length - room);
  const from = Math.min(offset, lastOffset);
  const shown = body.slice(from, from + room);
  const position = lastOffset === 0 ? '' : `lines ${from + 1}–${from + shown.length} of ${body.length}; `;
  const lines = [titleLine(state, now), head, ...shown, ...blank(room - shown.length), `${position}${KEYS}`];
  return {
    lines: lines.slice(0, rows).map((line) => (line.length > columns ? line.slice(0, columns) : line)),
    lastOffset,
  };
}

/** A proxy that went away is told first, with how old the rest is. */
function titleLine({ url, answer, answeredAt, trouble }: WatchState, now: number): string {
  if (trouble !== undefined)
    return `NO ANSWER  what stands below is ${formatDuration(now - answeredAt)} old; ${printable(trouble, 400)}`;
  const { services } = answer;
  const inFlight = services.reduce((sum, each) => sum + each.inFlight, 0);
  const held = services.reduce((sum, each) => sum + each.held, 0);
  return `pilotlight at ${url}  ${counted(services.length, 'service')}, ${inFlight} in flight, ${held} held`;
}

/** A name that would push the other columns off the screen loses its end. */
function shortened(name: string, columns: number): string {
  const room = Math.max(LEAST_NAME, columns - OTHER_COLUMNS);
  return name.length > room ? `${name.slice(0, room - 1)}…` : name;
}

function blank(count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, () => '');
}
