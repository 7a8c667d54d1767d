import type { SourceStatus } from '../model/sources.ts';
import { read } from './api.ts';
import { h } from './dom.ts';
import { duration } from './format.ts';
import type { Page } from './page.ts';
import { readPage } from './read-page.ts';

/** Where endpoints are learnt from, as far as that may fall out of touch: whom is asked, and how old what is known is. */
export function sourcesPage(): Page {
  const panels = h('div');
  return readPage('Sources', [panels], async () => {
    const sources = await read<SourceStatus[]>('v1/sources');
    return () => {
      if (sources.length > 0) panels.replaceChildren(...sources.map(sourcePanel));
      else panels.replaceChildren(h('p', { class: 'faint' }, 'No service is looked for in a catalogue.'));
    };
  });
}

function sourcePanel({
  title,
  state,
  services,
  staleForMs,
  index,
  trouble,
  denied,
  agents,
}: SourceStatus): HTMLElement {
  const age =
    staleForMs === null ? 'nothing is known yet' : staleForMs === 0 ? 'up to date' : `${duration(staleForMs)} old`;
  const facts: [string, string][] = [
    ['State', state],
    ['Services', String(services)],
    ['What is known', age],
    ['Last index', index ?? '–'],
  ];
  return h(
    'section',
    { class: state === 'out-of-touch' ? 'panel bad' : 'panel' },
    h('h2', {}, title),
    h('dl', { class: 'figures' }, ...facts.map(([label, text]) => h('div', {}, h('dt', {}, label), h('dd', {}, text)))),
    trouble !== null && h('p', {}, `${trouble.message} (${trouble.code}); what was known last is used`),
    h('ul', {}, ...agents.map((agent) => h('li', {}, agentText(agent)))),
    ...denied.map(({ service, message }) => h('p', {}, `${service}: ${message}`)),
  );
}

function agentText({ address, isAsked, isLeft }: SourceStatus['agents'][number]): string {
  const said = [...(isAsked ? ['asked now'] : []), ...(isLeft ? ['did not answer when it was asked last'] : [])];
  return said.length === 0 ? address : `${address}: ${said.join(', ')}`;
}
