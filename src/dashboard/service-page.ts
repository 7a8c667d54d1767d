import type { DecisionEntry, ServiceWhy } from '../model/decision.ts';
import type { EndpointStatus, ReplicaStatus, StartRecord } from '../model/status.ts';
import { actionButtons } from './actions.ts';
import { ofService, read } from './api.ts';
import { Charts } from './charts.ts';
import { decisionItem } from './decision-list.ts';
import { h, KeyedList, setAttribute, setText, tableOf, textRow } from './dom.ts';
import { endpointTable } from './endpoint-table.ts';
import { duration, memory } from './format.ts';
import type { Page, PageContext } from './page.ts';
import { figuresOf, troublesKey, troublesOf } from './troubles.ts';
import { waterfall } from './waterfall.ts';

/** How old the answers may be that nothing changes at, ms. */
const ASK_MS = 5000;
/** Decisions that are shown. */
const SHOWN = 50;

/** All about one service. */
export function servicePage({ store, changed }: PageContext, name: string): Page {
  const service = () => store.services.get(name);
  const state = h('span', { class: 'state' });
  const buttons = actionButtons(name, service);
  const gone = h('p', { role: 'status' });
  const troubles = h('div', { 'aria-live': 'polite' });
  const figures = h('dl', { class: 'figures' });
  const charts = new Charts();
  const replicas = tableOf('Replicas', ['Replica', 'State', 'Address', 'In flight', 'p95', 'Memory', 'Runs for']);
  const rows = new KeyedList<ReplicaStatus>(
    replicas.body,
    ({ id }) => id,
    (first) => textRow(replicaCells, first),
  );
  const endpoints = endpointTable(name);
  const starts = h('div');
  const decisionList = h('ol', { class: 'decisions' });
  const noDecisions = h('p', { class: 'faint' }, 'No decision yet.');
  const decisions = new KeyedList<DecisionEntry>(decisionList, ({ id }) => id, decisionItem);
  const heading = (text: string, ...content: HTMLElement[]) => h('section', {}, h('h2', {}, text), ...content);

  let shownTroubles = '';
  let why: ServiceWhy | undefined;
  /** What the answers that are shown were asked for. */
  let asked = '';
  /** When they were, the browser's ms. */
  let askedAt = 0;
  let isAsking = false;
  let isClosed = false;
  const ask = async (key: string) => {
    isAsking = true;
    try {
      const [places, reasons, records] = await Promise.all([
        read<EndpointStatus[]>(ofService(name, 'endpoints')),
        read<ServiceWhy>(ofService(name, 'why')),
        read<StartRecord[]>(ofService(name, 'starts')),
      ]);
      asked = key;
      askedAt = Date.now();
      why = reasons;
      endpoints.show(places);
      starts.replaceChildren(waterfall(records));
      if (!isClosed) changed();
    } catch {
      // The link tells of what is wrong, and the next state asks again.
    } finally {
      isAsking = false;
    }
  };

  return {
    title: name,
    element: h(
      'section',
      {},
      h('h1', {}, name, ' ', state),
      buttons.element,
      gone,
      troubles,
      figures,
      charts.element,
      heading('Replicas', replicas.element),
      endpoints.element,
      heading('Starts', starts),
      heading('Decisions', noDecisions, decisionList),
    ),
    update() {
      const now = service();
      buttons.update();
      setText(gone, now === undefined && store.asOf !== undefined ? `No service “${name}” is configured.` : '');
      if (now === undefined) return;
      setText(state, now.state);
      setAttribute(state, 'data-state', now.state);
      const key = troublesKey(now);
      if (key !== shownTroubles) troubles.replaceChildren(...troublesOf(now));
      shownTroubles = key;
      showFigures(figures, figuresOf(now));
      charts.update(store.historyOf(name), Date.parse(store.asOf ?? '') / 1000);
      // Copies: the age moves on where nothing else does.
      rows.show(now.replicas.map((replica) => ({ ...replica })));
      const news = [now.lastDecision, now.heldBack?.since, store.events.find((event) => event.service === name)?.at];
      const wanted = JSON.stringify(news);
      if ((wanted !== asked || Date.now() - askedAt > ASK_MS) && !isAsking) void ask(wanted);
      decisions.show((why?.decisions ?? []).slice(-SHOWN).reverse());
      noDecisions.hidden = (why?.decisions.length ?? 0) > 0;
    },
    close() {
      isClosed = true;
      charts.close();
    },
  };
}

function replicaCells(replica: ReplicaStatus): string[] {
  const { id, state, condition, address, inFlight, p95Ms, memoryMiB, startedAt } = replica;
  const age = startedAt === null || address === null ? null : Math.max(0, Date.now() - Date.parse(startedAt));
  return [
    id,
    condition === undefined ? state : `${state}, ${condition}`,
    address ?? '–',
    String(inFlight),
    duration(p95Ms),
    memory(memoryMiB),
    duration(age),
  ];
}

function showFigures(list: HTMLElement, figures: readonly [string, string][]): void {
  if (list.childElementCount === 0) {
    list.append(...figures.map(([label]) => h('div', {}, h('dt', {}, label), h('dd'))));
  }
  for (const [index, [, text]] of figures.entries()) {
    const value = list.children[index]?.lastElementChild;
    if (value) setText(value, text);
  }
}
