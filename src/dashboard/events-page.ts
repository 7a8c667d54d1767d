import type { PilotEvent } from '../model/events.ts';
import { h, KeyedList, type Part } from './dom.ts';
import { timeOfDay } from './format.ts';
import type { Page, PageContext } from './page.ts';
import { printRoute } from './route.ts';

/** Of which somebody should look into the cause. */
const BAD = /failed|refused|sick|forced|bad-answer|unreachable|ejected|exited/;

/** What happens, as it happens: decisions with their reasons, starts and their failures, certificates, reloads. */
export function eventsPage({ store }: PageContext, query: URLSearchParams): Page {
  let text = query.get('q') ?? '';
  const search = h('input', {
    type: 'search',
    id: 'search',
    autocomplete: 'off',
    value: text,
    oninput: () => location.replace(printRoute('events', '', { q: search.value })),
  });
  const list = h('ol', { class: 'events' });
  const none = h('p', { class: 'faint' }, 'Nothing has happened since this page was opened.');
  // Events have no identity but their own object.
  const keys = new WeakMap<PilotEvent, string>();
  let count = 0;
  const keyOf = (event: PilotEvent) => {
    const key = keys.get(event) ?? String(count++);
    keys.set(event, key);
    return key;
  };
  const events = new KeyedList<PilotEvent>(list, keyOf, eventItem);
  const page: Page = {
    title: 'Events',
    element: h(
      'section',
      {},
      h('h1', {}, 'Events'),
      h(
        'form',
        { class: 'filter', role: 'search', onsubmit: (event) => event.preventDefault() },
        h('label', { for: 'search' }, 'Search'),
        search,
      ),
      none,
      list,
    ),
    update() {
      const wanted = text.toLowerCase();
      const shown = store.events.filter(({ message, type }) => `${type} ${message}`.toLowerCase().includes(wanted));
      events.show(shown);
      none.hidden = store.events.length > 0;
    },
    requery(next) {
      text = next.get('q') ?? '';
      if (search.value !== text) search.value = text;
      page.update();
    },
  };
  return page;
}

function eventItem({ at, type, service, message }: PilotEvent): Part<PilotEvent> {
  const rest = service !== null && message.startsWith(`${service} `) ? message.slice(service.length) : ` ${message}`;
  return {
    element: h(
      'li',
      { 'data-kind': BAD.test(type) ? 'bad' : 'plain' },
      h('time', { datetime: at }, timeOfDay(at)),
      h('span', { class: 'tag' }, type),
      h('span', {}, service === null ? '' : h('a', { href: printRoute('service', service) }, service), rest),
    ),
    update() {},
  };
}
