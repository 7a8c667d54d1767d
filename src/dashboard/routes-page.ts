import type { RouteExplanation, RouteStatus } from '../model/routes.ts';
import { ApiError, read } from './api.ts';
import { h, KeyedList, type Part, setText, tableOf } from './dom.ts';
import type { Page, PageContext } from './page.ts';
import { readPage } from './read-page.ts';
import { printRoute } from './route.ts';

/** All routes, searched by what the address says; and which of them takes a request, and why. */
export function routesPage(_context: PageContext, query: URLSearchParams): Page {
  let text = query.get('q') ?? '';
  let known: readonly RouteStatus[] = [];
  const table = tableOf('Routes', ['Host', 'Path', 'Service', 'Listeners', 'Rules']);
  const rows = new KeyedList<RouteStatus>(table.body, (route) => JSON.stringify(route), routeRow);
  const count = h('p', { role: 'status', class: 'faint' });
  const show = () => {
    const wanted = text.toLowerCase();
    const shown = known.filter((route) => textOf(route).toLowerCase().includes(wanted));
    rows.show(shown);
    setText(
      count,
      shown.length === known.length ? `${known.length} routes` : `${shown.length} of ${known.length} routes`,
    );
  };
  const search = h('input', {
    type: 'search',
    id: 'search',
    autocomplete: 'off',
    value: text,
    oninput: () => location.replace(printRoute('routes', '', { q: search.value })),
  });
  const filter = h(
    'form',
    { class: 'filter', role: 'search', onsubmit: (event) => event.preventDefault() },
    h('label', { for: 'search' }, 'Search'),
    search,
  );
  const page = readPage('Routes', [filter, table.element, count, explainForm()], async () => {
    const routes = await read<RouteStatus[]>('v1/routes');
    return () => {
      known = routes;
      show();
    };
  });
  return {
    ...page,
    requery(next) {
      text = next.get('q') ?? '';
      if (search.value !== text) search.value = text;
      show();
    },
  };
}

function routeRow({ host, path, service, listeners, rules }: RouteStatus): Part<RouteStatus> {
  return {
    element: h(
      'tr',
      {},
      h('th', { scope: 'row' }, host ?? 'any'),
      h('td', {}, path ?? 'TCP'),
      h('td', {}, h('a', { href: printRoute('service', service) }, service)),
      h('td', {}, listeners?.join(', ') ?? 'all'),
      h('td', {}, rules.join('; ')),
    ),
    update() {},
  };
}

function textOf({ host, path, service, rules }: RouteStatus): string {
  return [host ?? 'any', path ?? 'TCP', service, ...rules].join(' ');
}

/** Asks where a request would go. */
function explainForm(): HTMLElement {
  const method = h('input', { id: 'method', value: 'GET', size: 8, required: true, autocomplete: 'off' });
  const url = h('input', { id: 'url', type: 'url', placeholder: 'http://shop.example.com/cart', required: true });
  const answer = h('div', { 'aria-live': 'polite' });
  const submit = async (event: Event) => {
    event.preventDefault();
    const asked = new URLSearchParams({ method: method.value, url: url.value });
    try {
      answer.replaceChildren(explanationOf(await read<RouteExplanation>(`v1/routes/explain?${asked}`)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      answer.replaceChildren(h('p', { class: 'panel bad' }, error.message));
    }
  };
  return h(
    'section',
    {},
    h('h2', {}, 'Where would a request go?'),
    h(
      'form',
      { class: 'filter', onsubmit: (event) => void submit(event) },
      h('label', { for: 'method' }, 'Method'),
      method,
      h('label', { for: 'url' }, 'URL'),
      url,
      h('button', {}, 'Explain'),
    ),
    answer,
  );
}

function explanationOf({ route, refusal, why, then, others, elsewhere }: RouteExplanation): HTMLElement {
  const goes =
    route === null ? `It is refused${refusal === null ? '' : ` (${refusal})`}` : `It goes to ${route.service}`;
  const more = others.map(
    (other) => `${other.route.host ?? 'any'} ${other.route.path ?? 'TCP'} → ${other.route.service}: ${other.why}`,
  );
  return h(
    'div',
    { class: route === null ? 'panel bad' : 'panel' },
    h('p', {}, h('strong', {}, `${goes}: `), why),
    then.length > 0 && h('ol', {}, ...then.map((line) => h('li', {}, line))),
    more.length > 0 && h('p', {}, 'Not taken:'),
    more.length > 0 && h('ul', {}, ...more.map((line) => h('li', {}, line))),
    elsewhere > 0 && h('p', { class: 'faint' }, `${elsewhere} further routes are for other hosts or listeners.`),
  );
}
