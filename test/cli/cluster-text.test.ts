import { expect, test } from 'vitest';
import { clusterLines } from '../../src/cli/cluster-text.ts';

const same = { build: '1.0.0', index: 15 };
const whole = { orders: '10.0.0.7:9401', isSettling: false, absent: [] };
const members = [
  { member: '10.0.0.7:9401', silentMs: 0, edges: ['10.0.0.7:9401/edge'], ...same },
  { member: '10.0.0.8:9401', silentMs: 420, edges: ['10.0.0.8:9401/a', '10.0.0.8:9401/b'], ...same },
  { member: '10.0.0.9:9401', silentMs: null, edges: [], ...same },
];

test('who leads, and every member', () => {
  const leader = { member: '10.0.0.7:9401', index: 15 };
  expect(clusterLines({ name: 'edge', self: '10.0.0.8:9401', leader, trouble: null, members, ...whole })).toEqual([
    'cluster edge: led by 10.0.0.7:9401 (index 15)',
    '  10.0.0.7:9401: 1 edge, heard 0.0 s ago',
    '  10.0.0.8:9401 (this one): 2 edges, heard 0.4 s ago',
    '  10.0.0.9:9401: not connected to the leader',
  ]);
});

test('why nobody leads', () => {
  const trouble = 'cannot begin a session in Consul';
  const [first] = clusterLines({ name: 'edge', self: 'a', leader: null, trouble, members: [], ...whole });
  expect(first).toBe('cluster edge: nobody leads; cannot begin a session in Consul');
});

test('that the one that leads orders and shares nothing', () => {
  const leader = { member: 'a', index: 15 };
  const [first] = clusterLines({ ...whole, name: 'edge', self: 'a', leader, orders: null, trouble: null, members: [] });
  expect(first).toBe('cluster edge: led by a (index 15), which does not see to certificates and ticket keys');
});

test('a proxy that acts alone has no such lines', () => {
  expect(clusterLines(null)).toEqual([]);
});
