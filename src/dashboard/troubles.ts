import type { ServiceStatus, StartFailure } from '../model/status.ts';
import { h } from './dom.ts';
import { duration, moment } from './format.ts';

/** What stands in the way of a service: why starts fail, with the last output; what is missing; what keeps it back. */
export function troublesOf(service: ServiceStatus): HTMLElement[] {
  const { startFailure, troubles, heldBack, frozen } = service;
  const now = Date.now();
  return [
    ...(startFailure === null ? [] : [failurePanel(startFailure, now)]),
    ...troubles.map(({ code, message, since }) =>
      h('div', { class: 'panel bad' }, h('h2', {}, message), h('p', {}, `${code}, since ${moment(since, now)}`)),
    ),
    ...(heldBack === null
      ? []
      : [
          h(
            'div',
            { class: 'panel' },
            h('h2', {}, `Held back by ${heldBack.guards.join(', ')}`),
            h('p', {}, `${heldBack.reason} (since ${moment(heldBack.since, now)})`),
          ),
        ]),
    ...(frozen === null
      ? []
      : [
          h(
            'div',
            { class: 'panel' },
            h('h2', {}, `Frozen until ${moment(frozen.until, now)}`),
            h('p', {}, frozen.reason ?? 'without a reason'),
          ),
        ]),
  ];
}

function failurePanel(failure: StartFailure, now: number): HTMLElement {
  const { code, message, exitCode, inARow, nextTryAt, probe, output, at, replica } = failure;
  const blocked =
    nextTryAt === null
      ? 'The next request tries again.'
      : `Circuit open: the next try is at ${moment(nextTryAt, now)}.`;
  const facts = [
    `${replica}, ${moment(at, now)}, ${code}`,
    ...(exitCode === null ? [] : [`exit code ${exitCode}`]),
    `failed ${inARow === 1 ? 'once' : `${inARow} times in a row`}`,
  ];
  return h(
    'div',
    { class: 'panel bad' },
    h('h2', {}, `The start failed: ${message}`),
    h('p', {}, `${facts.join(' · ')}. ${blocked}`),
    probe !== null && h('p', {}, `Last look at ${probe.address}: ${probe.result}`),
    output.length > 0 && h('h3', {}, 'Last output'),
    output.length > 0 && h('pre', { tabindex: 0, 'aria-label': 'Last output' }, output.join('\n')),
  );
}

/** Tells whether what `troublesOf` shows would be another thing. */
export function troublesKey({ startFailure, troubles, heldBack, frozen }: ServiceStatus): string {
  return JSON.stringify([startFailure, troubles, heldBack, frozen]);
}

/** Figures of a service as pairs of a name and a text. */
export function figuresOf(service: ServiceStatus): [string, string][] {
  const { inFlight, held, heldForMs, latencyMs, threshold, lastActivity, perSecond, schedule } = service;
  const wait = held === 0 ? '' : `, the longest for ${duration(heldForMs)} at most`;
  return [
    ['Requests/s', perSecond.arrivals.toFixed(1)],
    ['In flight', String(inFlight)],
    ['Held', `${held}${wait}`],
    ['p50 · p95 · p99', [latencyMs.p50, latencyMs.p95, latencyMs.p99].map(duration).join(' · ')],
    ['Slow from', threshold === null ? '–' : `${duration(threshold.aboveMs)} (${threshold.source})`],
    ['Schedule', schedule === null ? '–' : scheduleText(schedule)],
    ['Last activity', lastActivity === null ? '–' : `${lastActivity.what}, ${moment(lastActivity.at, Date.now())}`],
  ];
}

function scheduleText({ min, until, nextAt }: NonNullable<ServiceStatus['schedule']>): string {
  const now = Date.now();
  const next = nextAt === null ? 'no window ahead' : `next at ${moment(nextAt, now)}`;
  return until === null ? next : `at least ${min} until ${moment(until, now)}, ${next}`;
}
