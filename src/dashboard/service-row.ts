import type { ServiceStatus } from '../model/status.ts';
import { h, type Part, setAttribute, setText } from './dom.ts';
import { duration, rate } from './format.ts';
import { printRoute } from './route.ts';
import type { Seen } from './seen.ts';
import { isInTrouble, readyOf, type SortKey } from './service-filter.ts';

interface Column {
  head: string;
  sort?: SortKey;
  /** Left out on narrow screens. */
  isWide?: true;
  isNumber?: true;
  text: (service: ServiceStatus) => string;
}

/** What is told of each service, beside its name. */
export const COLUMNS: readonly Column[] = [
  { head: 'State', sort: 'state', text: stateText },
  { head: 'Replicas', sort: 'replicas', isWide: true, text: replicasText },
  { head: 'In flight', sort: 'inFlight', isNumber: true, isWide: true, text: ({ inFlight }) => String(inFlight) },
  { head: 'Held', sort: 'held', isNumber: true, text: heldText },
  { head: 'Requests/s', sort: 'rate', isNumber: true, text: ({ perSecond }) => rate(perSecond.arrivals) },
  { head: 'p95', sort: 'p95', isNumber: true, isWide: true, text: ({ latencyMs }) => duration(latencyMs.p95) },
  { head: 'Errors/s', sort: 'errors', isNumber: true, isWide: true, text: errorsText },
  { head: 'Last decision', isWide: true, text: decisionText },
];

/** A row of the table of services, which follows its service while it is seen. */
export function serviceRow(first: ServiceStatus, seen: Seen): Part<ServiceStatus> {
  const cells = COLUMNS.map(({ isNumber, isWide }) => h('td', { class: classesOf(isNumber, isWide) }));
  const state = h('span', { class: 'state' });
  (cells[0] as HTMLElement).append(state);
  const link = h('a', { href: printRoute('service', first.name) }, first.name);
  const element = h('tr', {}, h('th', { scope: 'row' }, link), ...cells);
  let latest = first;
  const draw = () => {
    setAttribute(state, 'data-state', latest.state);
    for (const [index, { text }] of COLUMNS.entries()) {
      setText(index === 0 ? state : (cells[index] as HTMLElement), text(latest));
    }
  };
  draw();
  seen.follow(element, draw);
  return {
    element,
    update(service) {
      latest = service;
      if (seen.has(element)) draw();
    },
  };
}

export function classesOf(isNumber?: true, isWide?: true): string {
  return [isNumber && 'number', isWide && 'wide'].filter(Boolean).join(' ');
}

function stateText(service: ServiceStatus): string {
  const { state, frozen } = service;
  const trouble = isInTrouble(service) && state !== 'failing' && state !== 'unavailable' ? ' ⚠ trouble' : '';
  return `${state}${frozen === null ? '' : ' (frozen)'}${trouble}`;
}

function replicasText(service: ServiceStatus): string {
  const counts = new Map<string, number>();
  for (const { state } of service.replicas) {
    if (!['ready', 'created', 'stopped', 'paused'].includes(state)) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return [String(readyOf(service)), ...[...counts].map(([state, count]) => `${count} ${state}`)].join(' + ');
}

function heldText({ held, heldForMs }: ServiceStatus): string {
  return held === 0 ? '0' : `${held} for ${duration(heldForMs)}`;
}

function errorsText({ perSecond }: ServiceStatus): string {
  return rate(perSecond.errors + perSecond.shed);
}

/** `scale-up 1→2: p95 over 300 ms`. */
function decisionText({ lastDecision }: ServiceStatus): string {
  if (lastDecision === null) return '–';
  const { action, from, to, reason, dryRun } = lastDecision;
  return `${action} ${from}→${to}${dryRun ? ' (dry run)' : ''}: ${reason}`;
}
