import type { StartRecord } from '../model/status.ts';
import { h } from './dom.ts';
import { duration, moment } from './format.ts';

const PHASES = [
  { key: 'queueMs', label: 'queue', what: 'waits for its turn' },
  { key: 'startMs', label: 'start', what: 'the runtime starts it' },
  { key: 'readyMs', label: 'ready', what: 'until it answers' },
] as const;

/** Starts as bars of their phases, all on one scale, the last one first. */
export function waterfall(starts: readonly StartRecord[]): HTMLElement {
  if (starts.length === 0) return h('p', { class: 'faint' }, 'No start yet under this process.');
  const longest = Math.max(1, ...starts.map(totalOf));
  const bars = starts.toReversed().map((start) => barOf(start, longest));
  return h(
    'div',
    {},
    h(
      'p',
      { class: 'legend' },
      ...PHASES.map(({ label, what }) =>
        h('span', {}, h('span', { class: `swatch phase-${label}`, 'aria-hidden': 'true' }), ` ${label}: ${what}`),
      ),
    ),
    h('ol', { class: 'waterfall' }, ...bars),
  );
}

function barOf(start: StartRecord, longest: number): HTMLElement {
  const phases = PHASES.map(({ key, label }) => {
    const bar = h('span', { class: `phase phase-${label}` });
    bar.style.width = `${(start[key] / longest) * 100}%`;
    return bar;
  });
  const waited = start.held === 0 ? '' : `, ${start.held} waited`;
  const numbers = PHASES.map(({ key, label }) => `${label} ${duration(start[key])}`).join(', ');
  return h(
    'li',
    {},
    h('span', { class: 'what' }, `${moment(start.at, Date.now())} ${start.replica} (${start.cause}${waited})`),
    h('span', { class: 'bar', 'aria-hidden': 'true' }, ...phases),
    h('span', { class: 'what' }, `${duration(totalOf(start))}: ${numbers}`),
  );
}

function totalOf({ queueMs, startMs, readyMs }: StartRecord): number {
  return queueMs + startMs + readyMs;
}
