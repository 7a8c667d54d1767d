import { setToken, token } from './api.ts';
import { h, setAttribute, setText } from './dom.ts';
import { timeOfDay } from './format.ts';
import { printRoute } from './route.ts';
import type { Store } from './store.ts';
import { themeButton } from './theme.ts';

const PAGES = [
  ['services', 'Services'],
  ['events', 'Events'],
  ['routes', 'Routes'],
  ['sources', 'Sources'],
  ['cluster', 'Cluster'],
  ['costs', 'Costs'],
  ['certificates', 'Certificates'],
] as const;

/** The head of every page: where one can go, and how it stands with the news. */
export function createHeader(header: HTMLElement, banner: HTMLElement, store: Store) {
  const links = PAGES.map(([page, label]) => ({ page, link: h('a', { href: printRoute(page) }, label) }));
  const link = h('span', { class: 'link' });
  const leave = h(
    'button',
    {
      type: 'button',
      onclick: () => {
        setToken(undefined);
        location.reload();
      },
    },
    'Log out',
  );
  header.append(
    h('a', { class: 'brand', href: printRoute('services') }, 'Pilotlight'),
    h('nav', { 'aria-label': 'Pages' }, ...links.map((each) => each.link)),
    link,
    themeButton(),
    leave,
  );
  return {
    /** @param page the one that is shown */
    update(page: string): void {
      for (const each of links) {
        each.link.hidden = each.page === 'cluster' && !store.isClustered;
        const isShown = each.page === page || (each.page === 'services' && page === 'service');
        if (isShown) setAttribute(each.link, 'aria-current', 'page');
        else each.link.removeAttribute('aria-current');
      }
      leave.hidden = token() === null;
      const isOld = store.isOld(Date.now());
      setText(link, isOld ? 'old' : store.link.state === 'following' ? 'live' : 'connecting');
      setAttribute(link, 'data-link', isOld ? 'old' : store.link.state);
      document.body.classList.toggle('old', isOld);
      setText(banner, bannerText(store, isOld));
    },
  };
}

function bannerText({ link, asOf }: Store, isOld: boolean): string {
  const why = link.state === 'lost' ? `${link.why}. ` : '';
  if (isOld) return `${why}What is shown is old: it is as of ${timeOfDay(asOf ?? '')}. Connecting again…`;
  return asOf === undefined && why !== '' ? `${why}Connecting again…` : '';
}
