import type { ClusterMemberStatus, ClusterStatus } from '../model/cluster.ts';
import { counted } from '../util/format.ts';
import { printable } from '../util/printable.ts';

const LINE_LENGTH = 1000;

/** Who leads, and how each member stands, a line each; none where the proxy acts alone. */
export function clusterLines(cluster: ClusterStatus | null): string[] {
  if (cluster === null) return [];
  const { name, self, leader, orders, trouble, members } = cluster;
  const who = leader === null ? 'nobody leads' : `led by ${leader.member} (index ${leader.index})`;
  const idle = leader === null || orders !== null ? '' : ', which does not see to certificates and ticket keys';
  const why = trouble === null ? '' : `; ${trouble}`;
  const lines = members.map(
    (each) => `  ${each.member}${each.member === self ? ' (this one)' : ''}: ${standing(each)}`,
  );
  return [`cluster ${name}: ${who}${idle}${why}`, ...lines].map((line) => printable(line, LINE_LENGTH));
}

function standing({ silentMs, edges }: ClusterMemberStatus): string {
  if (silentMs === null) return 'not connected to the leader';
  return `${counted(edges.length, 'edge')}, heard ${(silentMs / 1000).toFixed(1)} s ago`;
}
