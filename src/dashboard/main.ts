import type { ClusterStatus } from '../model/cluster.ts';
import { read, token } from './api.ts';
import { certificatesPage } from './certificates-page.ts';
import { clusterPage } from './cluster-page.ts';
import { costsPage } from './costs-page.ts';
import { byId, h } from './dom.ts';
import { eventsPage } from './events-page.ts';
import { createHeader } from './header.ts';
import { Live } from './live.ts';
import { loginPage } from './login-page.ts';
import type { Page, PageContext } from './page.ts';
import { type PageRoute, parseRoute } from './route.ts';
import { routesPage } from './routes-page.ts';
import { servicePage } from './service-page.ts';
import { servicesPage } from './services-page.ts';
import { SharedLive } from './shared-live.ts';
import { sourcesPage } from './sources-page.ts';
import { Store } from './store.ts';

/** How often it is looked at whether what is shown is old, ms. */
const LOOK_MS = 1000;

const PAGES: Record<string, (context: PageContext, route: PageRoute) => Page> = {
  services: (context, { query }) => servicesPage(context, query),
  service: (context, { name }) => servicePage(context, name),
  events: (context, { query }) => eventsPage(context, query),
  routes: (context, { query }) => routesPage(context, query),
  costs: (context, { query }) => costsPage(context, query),
  sources: () => sourcesPage(),
  cluster: () => clusterPage(),
  certificates: () => certificatesPage(),
};

let frame = 0;
/** Draws in the next frame, however much changes until then. */
const schedule = () => {
  if (frame !== 0) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    draw();
  });
};
const store = new Store(schedule);
const context: PageContext = { store, changed: schedule };
const main = byId('main');
const header = createHeader(byId('header'), byId('banner'), store);
let route = parseRoute(location.hash);
let page: Page | undefined;
/** What the page was made for. */
let shown = '';

function draw(): void {
  const isRefused = store.link.state === 'refused';
  const wanted = isRefused
    ? 'login'
    : JSON.stringify([route.page, route.name, route.page === 'costs' && `${route.query}`]);
  if (wanted !== shown) open(wanted, isRefused);
  page?.update();
  header.update(route.page);
}

function open(wanted: string, isRefused: boolean): void {
  const isFirst = shown === '';
  page?.close?.();
  shown = wanted;
  page = isRefused ? loginPage(follow) : (PAGES[route.page] ?? missingPage)(context, route);
  main.replaceChildren(page.element);
  document.title = `${page.title} – Pilotlight`;
  // Whoever hears the page instead of seeing it is told that it is another one.
  if (!isFirst) main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function missingPage(): Page {
  return { title: 'No such page', element: h('section', {}, h('h1', {}, 'No such page')), update() {} };
}

addEventListener('hashchange', () => {
  const before = route;
  route = parseRoute(location.hash);
  if (route.page === before.page && route.name === before.name) page?.requery?.(route.query);
  schedule();
});
// Not by a frame: a browser that is short of time may make none for long, and what is shown would be old unsaid.
setInterval(draw, LOOK_MS);
let live: SharedLive | undefined;
/** Follows anew: tabs that have the same token share a stream, and nobody else finds their channel. */
function follow(): void {
  live?.close();
  live = new SharedLive({
    listener: {
      onState: (state, heardAt) => store.takeState(state, heardAt),
      onEvent: (event) => store.takeEvent(event),
      onLink: (link) => {
        // Once it answers, and again when it may be another process.
        if (link.state === 'following' && store.link.state !== 'following') void askCluster();
        store.takeLink(link);
      },
    },
    channel: new BroadcastChannel(`pilotlight ${token() ?? ''}`),
    open: (listener) => new Live(listener),
    whole: () => store.whole(),
  });
}
async function askCluster(): Promise<void> {
  const answer = await read<{ cluster: ClusterStatus | null }>('v1/cluster').catch(() => undefined);
  if (answer !== undefined) store.takeClustered(answer.cluster !== null);
}
addEventListener('pagehide', () => live?.close());
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) follow();
});
follow();
draw();
