import { expect, test } from 'vitest';
import { routingTable } from '../../../src/control/link/routing-table.ts';
import type { ServicePolicy } from '../../../src/model/snapshot.ts';
import { testService, testSettings } from '../support/settings.ts';

function policyOf(change: Parameters<typeof testService>[1]): ServicePolicy {
  return routingTable(testSettings([testService('app', change)]), 'a secret').services[0] as ServicePolicy;
}

const health = { check: { kind: 'connect' }, intervalMs: 1, timeoutMs: 1, rise: 1, fall: 1 } as const;

test('slots are shared where there are other edges: of several workers, or of other members of a cluster', () => {
  const cluster = { name: 'edge', secret: '', advertise: { host: 'a', port: 1 }, ttlMs: 10_000, leaseMs: 5000 };
  const sharesSlots = (change: object) =>
    routingTable({ ...testSettings([testService('app')]), ...change }, '').services[0]?.sharesSlots === true;
  expect([{}, { workers: 2 }, { cluster }].map(sharesSlots)).toEqual([false, true, true]);
});

test('how endpoints are chosen goes to the edges as it is configured', () => {
  const outlier = { consecutive: 1, intervalMs: 2, ejectMs: 3, maxEjectMs: 4, maxShare: 0.5 };
  const hashOn = { kind: 'header', name: 'x' } as const;
  const policy = policyOf({ balance: 'hash', hashOn, outlier, slowStartMs: 5 });
  expect(policy).toMatchObject({ balance: 'hash', hashOn, outlier, slowStartMs: 5 });
});

test('checks ask for a host that the app knows', () => {
  expect(policyOf({ health }).healthHost).toBe('app.test');
  expect(policyOf({ health, upstreamHost: 'inner.test' }).healthHost).toBe('inner.test');
  const check = { kind: 'http', path: '/', host: 'told.test', statusMin: 200, statusMax: 399 } as const;
  const named = { ...health, check };
  expect(policyOf({ health: named, upstreamHost: 'inner.test' }).healthHost).toBe('told.test');
  const routes = [
    { host: '*.app.test', path: '/' },
    { host: undefined, path: '/' },
  ];
  expect(policyOf({ health, routes }).healthHost).toBe('localhost');
});

test('the secret goes only where a cookie is made under it', () => {
  expect(policyOf({ sticky: { cookie: 'r', ttlMs: 0 } }).stickyKey).toBe('a secret');
  expect(JSON.stringify(policyOf({}))).not.toContain('a secret');
});
