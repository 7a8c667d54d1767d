import type { ClusterMemberStatus, ClusterStatus } from '../model/cluster.ts';
import { read } from './api.ts';
import { h, KeyedList, tableOf, textRow } from './dom.ts';
import { duration } from './format.ts';
import type { Page } from './page.ts';
import { readPage } from './read-page.ts';

/** How often it is asked for: who leads changes within seconds, ms. */
const EVERY_MS = 2000;
const HEADS = ['Member', 'Standing', 'Version', 'Edges', 'Last heard', 'Acknowledged index'];

/** The proxies that act as one with this one: who leads, how each stands, and what the leader waits for. */
export function clusterPage(): Page {
  const panel = h('div');
  const table = tableOf('Members', HEADS);
  table.element.hidden = true;
  let shown: ClusterStatus | undefined;
  const rows = new KeyedList<ClusterMemberStatus>(
    table.body,
    ({ member }) => member,
    (member) => textRow((each) => memberCells(each, shown), member),
  );
  return readPage(
    'Cluster',
    [panel, table.element],
    async () => {
      const { cluster } = await read<{ cluster: ClusterStatus | null }>('v1/cluster');
      return () => {
        shown = cluster ?? undefined;
        table.element.hidden = cluster === null;
        panel.replaceChildren(
          cluster === null ? h('p', { class: 'faint' }, 'This proxy acts alone.') : standingPanel(cluster),
        );
        rows.show(cluster?.members ?? []);
      };
    },
    EVERY_MS,
  );
}

function standingPanel(cluster: ClusterStatus): HTMLElement {
  const { name, self, leader, members, trouble, isSettling, absent } = cluster;
  const here = members.filter(({ silentMs }) => silentMs !== null).length;
  const facts: [string, string][] = [
    ['Leader', leader?.member ?? 'nobody leads'],
    ['Index', leader === null ? '–' : String(leader.index)],
    ['This proxy', self],
    ['Members here', `${here} of ${members.length}`],
  ];
  const notes = [
    trouble,
    isSettling && 'The leader waits for members that had edges: until then edges go on by what they were told last.',
    absent.length > 0 && `Out of sight, so what they may use is not stopped without need: ${absent.join(', ')}`,
  ];
  return h(
    'section',
    { class: leader === null || trouble !== null ? 'panel bad' : 'panel' },
    h('h2', {}, name),
    h('dl', { class: 'figures' }, ...facts.map(([label, text]) => h('div', {}, h('dt', {}, label), h('dd', {}, text)))),
    ...notes.map((note) => note !== null && note !== false && h('p', {}, note)),
  );
}

function memberCells(
  { member, silentMs, edges, build, index }: ClusterMemberStatus,
  cluster: ClusterStatus | undefined,
): string[] {
  const isLeader = cluster?.leader?.member === member;
  const heard = isLeader ? '–' : silentMs === null ? '–' : `${duration(silentMs)} ago`;
  return [
    member === cluster?.self ? `${member} (this one)` : member,
    isLeader ? 'leads' : silentMs === null ? 'not connected to the leader' : 'follows',
    build ?? '–',
    String(edges.length),
    heard,
    index === null ? '–' : String(index),
  ];
}
