import type { Costs, ServiceCosts } from '../model/costs.ts';
import { read } from './api.ts';
import { cellsOf, savedText } from './cost-row.ts';
import { h, KeyedList, setText, tableOf, textRow } from './dom.ts';
import { hours, money } from './format.ts';
import type { Page, PageContext } from './page.ts';
import { readPage } from './read-page.ts';
import { printRoute } from './route.ts';

const PERIODS = ['1h', '1d', '7d', '30d'];

/** What services cost, and what they would have cost with one replica always on, or kept for ten idle minutes. */
export function costsPage(_context: PageContext, query: URLSearchParams): Page {
  const since = PERIODS.find((each) => each === query.get('since')) ?? '7d';
  const table = tableOf('Costs', [
    'Service',
    'Replica time',
    'Memory',
    'Cold starts',
    'Waited',
    'Paused',
    'Resumes',
    'Disk alone',
    'Disk shared',
    'Money',
    'Always on',
    'Saved',
    'Kept 10 min',
  ]);
  const total = h('p', { class: 'summary' });
  let currency = '';
  const rows = new KeyedList<ServiceCosts>(
    table.body,
    ({ service }) => service,
    (first) => textRow((costs) => cellsOf(costs, currency), first),
  );
  const periods = h(
    'p',
    { role: 'group', 'aria-label': 'Period' },
    ...PERIODS.flatMap((each) => [
      h(
        'a',
        { href: printRoute('costs', '', { since: each }), 'aria-current': each === since ? 'true' : undefined },
        each,
      ),
      ' ',
    ]),
  );
  return readPage('Costs', [periods, total, table.element], async () => {
    const costs = await read<Costs>(`v1/costs?since=${since}`);
    return () => {
      currency = costs.currency;
      rows.show(costs.services);
      setText(total, totalText(costs));
    };
  });
}

function totalText({ services, currency }: Costs): string {
  if (services.length === 0) return 'Nothing has run yet.';
  const sum = (of: (costs: ServiceCosts) => number) => services.reduce((all, each) => all + of(each), 0);
  const own = sum(({ replicaSeconds }) => replicaSeconds);
  const always = sum(({ alwaysOn }) => alwaysOn.replicaSeconds);
  const paid = services.every((each) => each.money === null) ? null : sum((each) => each.money ?? 0);
  const cost = paid === null ? '' : ` for ${money(paid, currency)}`;
  return `${hours(own)} of replicas${cost}, where one of each always on would be ${hours(always)}: ${savedText(own, always)} saved.`;
}
