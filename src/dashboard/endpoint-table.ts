import type { EndpointByHand, EndpointStatus } from '../model/status.ts';
import { act, ofService } from './api.ts';
import { confirm } from './confirm.ts';
import { h, KeyedList, type Part, setText, tableOf } from './dom.ts';

const MOST_WEIGHT = 65_535;

/** Where a service is; each endpoint can be drained and weighed from here. */
export function endpointTable(service: string): { element: HTMLElement; show(endpoints: EndpointStatus[]): void } {
  const table = tableOf('Endpoints', ['Address', 'Source', 'State', 'Weight', 'In flight', 'Change']);
  const rows: KeyedList<EndpointStatus> = new KeyedList(
    table.body,
    ({ address }) => address,
    (first) => endpointRow(service, first, show),
  );
  const element = h('section', { hidden: true }, h('h2', {}, 'Endpoints'), table.element);
  function show(endpoints: EndpointStatus[]): void {
    rows.show(endpoints);
    element.hidden = endpoints.length === 0;
  }
  return { element, show };
}

function endpointRow(
  service: string,
  first: EndpointStatus,
  show: (endpoints: EndpointStatus[]) => void,
): Part<EndpointStatus> {
  let now = first;
  const change = async (what: Partial<EndpointByHand>) =>
    show(await act<EndpointStatus[]>(ofService(service, `endpoints/${encodeURIComponent(now.address)}`), what));
  const cells = cellsOf(first).map((_, index) => (index === 0 ? h('th', { scope: 'row' }) : h('td')));
  const drain = h('button', { type: 'button', onclick: () => askDrain(now, change) });
  const weigh = h('button', { type: 'button', onclick: () => askWeight(now, change) }, 'Weight…');
  return {
    element: h('tr', { class: 'acting' }, ...cells, h('td', {}, h('div', { class: 'buttons' }, drain, weigh))),
    update(next) {
      now = next;
      for (const [index, text] of cellsOf(next).entries()) setText(cells[index] as HTMLElement, text);
      setText(drain, isOut(next) ? 'Undrain' : 'Drain');
      drain.setAttribute('aria-label', `${drain.textContent} ${next.address}`);
      weigh.setAttribute('aria-label', `Weight… of ${next.address}`);
    },
  };
}

/** Whether what can be done about it is to have it back. */
function isOut({ byHand, reason, replica }: EndpointStatus): boolean {
  return byHand?.drain === true || (replica !== null && reason === 'draining');
}

function cellsOf(endpoint: EndpointStatus): string[] {
  const { address, source, alsoListedBy, state, reason, weight, backup, byHand, inFlight, maxConnections } = endpoint;
  const said = [...(backup ? ['backup'] : []), ...((byHand?.weight ?? null) === null ? [] : ['by hand'])];
  return [
    address,
    [source, ...alsoListedBy].join(', '),
    reason === null ? state : `${state}: ${reason}`,
    said.length === 0 ? String(weight) : `${weight} (${said.join(', ')})`,
    maxConnections === 0 ? String(inFlight) : `${inFlight} of ${maxConnections}`,
  ];
}

type Change = (what: Partial<EndpointByHand>) => Promise<void>;

function askDrain(endpoint: EndpointStatus, change: Change): void {
  const { address, replica, inFlight } = endpoint;
  const finish = inFlight === 0 ? '' : ` ${inFlight} in flight are finished first.`;
  const isBack = isOut(endpoint);
  confirm({
    title: isBack ? `Have ${address} back?` : `Drain ${address}?`,
    text: isBack
      ? 'It gets requests again.'
      : replica === null
        ? `It gets no new requests until it is taken back.${finish}`
        : `${replica} retires and is stopped.${finish} Another one starts where it is needed.`,
    yes: isBack ? 'Undrain' : 'Drain',
    act: () => change({ drain: !isBack }),
  });
}

function askWeight({ address, weight }: EndpointStatus, change: Change): void {
  const field = h('input', { type: 'number', id: 'weight', min: 0, max: MOST_WEIGHT, step: 1, value: weight });
  confirm({
    title: `Weight of ${address}`,
    text: 'Its share of the requests beside the others; 0: only while no other can; empty: what its source says.',
    yes: 'Set',
    fields: [h('p', {}, h('label', { for: 'weight' }, 'Weight '), field)],
    act: () => change({ weight: field.value === '' ? null : Number(field.value) }),
  });
}
