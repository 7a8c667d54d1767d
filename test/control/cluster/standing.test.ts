import { expect, test } from 'vitest';
import { memberList } from '../../../src/control/cluster/standing.ts';

const record = (member: string) => ({ member, address: { host: member, port: 1 }, index: 7 });

test('all members by name: those that are here with their edges, one that is being replaced once, others as not connected', () => {
  const here = [
    { member: 'b', silentMs: 0, edges: ['b/edge-1'], build: '1.1.0' },
    { member: 'a', silentMs: 400, edges: ['a/edge-1'], build: '1.0.0' },
    { member: 'a', silentMs: 20, edges: ['a/edge-1~1234'], build: '1.1.0' },
  ];
  expect(memberList([record('c'), record('a')], here)).toEqual([
    { member: 'a', silentMs: 20, edges: ['a/edge-1', 'a/edge-1~1234'], build: '1.1.0', index: 7 },
    { member: 'b', silentMs: 0, edges: ['b/edge-1'], build: '1.1.0', index: null },
    { member: 'c', silentMs: null, edges: [], build: null, index: 7 },
  ]);
});
