import type { ClusterMemberStatus, MemberRecord, MemberStanding } from '../../model/cluster.ts';

/**
 * All members that are known, by name.
 * @param records those that entered themselves
 * @param here those that have a connection to the leader, one that is being replaced twice; and the leader
 */
export function memberList(
  records: readonly MemberRecord[],
  here: readonly Omit<MemberStanding, 'address'>[],
): ClusterMemberStatus[] {
  const all = new Map<string, ClusterMemberStatus>();
  for (const { member, index } of records) all.set(member, { member, silentMs: null, edges: [], build: null, index });
  for (const { member, silentMs, edges, build } of here) {
    const { silentMs: other, edges: others = [], index = null } = all.get(member) ?? {};
    const heardMs = Math.min(silentMs, other ?? silentMs);
    all.set(member, { member, silentMs: heardMs, edges: [...others, ...edges], build, index });
  }
  return [...all.values()].sort((a, b) => (a.member < b.member ? -1 : 1));
}
