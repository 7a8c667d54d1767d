import type { DecisionEntry } from '../model/decision.ts';
import { h, type Part, setText } from './dom.ts';
import { duration, moment } from './format.ts';

/** One decision, or refusal of a change: what, why, what came of it; and on demand all that led to it. */
export function decisionItem(first: DecisionEntry): Part<DecisionEntry> {
  const outcome = h('p', { class: 'outcome' });
  const { at, from, to, reason, verdicts, inputs, dryRun, action } = first;
  const change = action === 'none' ? `stays at ${from}` : `${action} ${from}→${to}`;
  const kind = action === 'none' ? 'refused' : action;
  const details = [
    ...verdicts.map(({ guard, verdict, detail }) =>
      h('li', { 'data-verdict': verdict }, `${guard} ${verdict}: ${detail}`),
    ),
    ...Object.entries(inputs).map(([name, value]) => h('li', { class: 'faint' }, `${name} ${round(value)}`)),
  ];
  return {
    element: h(
      'li',
      { 'data-action': kind },
      h(
        'p',
        {},
        h('time', { datetime: at }, moment(at, Date.now())),
        ' ',
        h('strong', {}, change),
        dryRun && ' (dry run)',
        `: ${reason}`,
      ),
      outcome,
      details.length > 0 && h('details', {}, h('summary', {}, 'guards and numbers'), h('ul', {}, ...details)),
    ),
    update(entry) {
      setText(outcome, outcomeText(entry));
    },
  };
}

function outcomeText(entry: DecisionEntry): string {
  if (entry.action !== 'none') return entry.outcome === null ? '' : `→ ${entry.outcome.text}`;
  return entry.ended === null ? '→ stands' : `→ over after ${duration(entry.ended.lastedMs)}`;
}

function round(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 3 });
}
