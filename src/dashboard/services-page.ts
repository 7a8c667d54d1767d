import type { ServiceStatus } from '../model/status.ts';
import { h, KeyedList, setAttribute, setText } from './dom.ts';
import { rate } from './format.ts';
import type { Page, PageContext } from './page.ts';
import { printRoute } from './route.ts';
import { Seen } from './seen.ts';
import { filterServices, isInTrouble, readFilter, type ServiceFilter, type SortKey } from './service-filter.ts';
import { COLUMNS, classesOf, serviceRow } from './service-row.ts';

const STATES = ['', 'trouble', 'asleep', 'waking', 'ready', 'retiring', 'failing', 'unavailable'];

/** All services, searched, filtered and sorted by what the address says. */
export function servicesPage({ store }: PageContext, query: URLSearchParams): Page {
  let filter = readFilter(query);
  /** A change of the filter goes into the address, which brings it back as a query. */
  const go = (change: Partial<ServiceFilter>) => {
    const { text: q, state, sort } = { ...filter, ...change };
    location.replace(printRoute('services', '', { q, state, sort: sort === 'name' ? '' : sort }));
  };
  const search = h('input', {
    type: 'search',
    id: 'search',
    autocomplete: 'off',
    oninput: () => go({ text: search.value }),
  });
  const state = h(
    'select',
    { id: 'state', onchange: () => go({ state: state.value }) },
    ...STATES.map((each) => h('option', { value: each }, each === '' ? 'any state' : each)),
  );
  const heads = [{ head: 'Service', sort: 'name' as SortKey, isNumber: undefined, isWide: undefined }, ...COLUMNS].map(
    ({ head, sort, isNumber, isWide }) => ({
      sort,
      element: h(
        'th',
        { scope: 'col', class: classesOf(isNumber, isWide) },
        sort === undefined ? head : h('button', { type: 'button', onclick: () => go({ sort }) }, head),
      ),
    }),
  );
  const body = h('tbody');
  const seen = new Seen();
  const rows = new KeyedList<ServiceStatus>(
    body,
    ({ name }) => name,
    (service) => serviceRow(service, seen),
  );
  const summary = h('p', { class: 'summary' });
  const count = h('p', { role: 'status', class: 'faint' });
  const element = h(
    'section',
    {},
    h('h1', {}, 'Services'),
    summary,
    h(
      'form',
      { class: 'filter', role: 'search', onsubmit: (event) => event.preventDefault() },
      h('label', { for: 'search' }, 'Search'),
      search,
      h('label', { for: 'state' }, 'State'),
      state,
    ),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of services' },
      h('table', { class: 'services' }, h('thead', {}, h('tr', {}, ...heads.map((head) => head.element))), body),
    ),
    count,
  );
  const page: Page = {
    element,
    title: 'Services',
    update() {
      if (store.asOf === undefined) return;
      const all = [...store.services.values()];
      const shown = filterServices(all, filter);
      rows.show(shown);
      setText(summary, summaryOf(all));
      setText(count, countText(shown.length, all.length));
    },
    requery(next) {
      filter = readFilter(next);
      if (search.value !== filter.text) search.value = filter.text;
      state.value = filter.state;
      for (const { sort, element: head } of heads) {
        const order = sort === 'name' ? 'ascending' : 'descending';
        setAttribute(head, 'aria-sort', sort === filter.sort ? order : 'none');
      }
      page.update();
    },
    close: () => seen.close(),
  };
  page.requery?.(query);
  return page;
}

function countText(shown: number, all: number): string {
  if (all === 0) return 'No services are configured.';
  return shown === all ? `${all} services` : `${shown} of ${all} services`;
}

function summaryOf(services: readonly ServiceStatus[]): string {
  const sum = (of: (service: ServiceStatus) => number) => services.reduce((total, each) => total + of(each), 0);
  const inState = (state: string) => sum((each) => (each.state === state ? 1 : 0));
  const inTrouble = sum((each) => (isInTrouble(each) ? 1 : 0));
  return [
    `${inState('ready')} ready`,
    `${inState('asleep')} asleep`,
    `${inState('waking')} waking`,
    `${inTrouble} in trouble`,
    `${sum(({ held }) => held)} held`,
    `${sum(({ inFlight }) => inFlight)} in flight`,
    `${rate(sum(({ perSecond }) => perSecond.arrivals))} requests/s`,
  ].join(' · ');
}
