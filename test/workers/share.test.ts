import { describe, expect, test } from 'vitest';
import type { ControlMessage } from '../../src/model/link.ts';
import type { RouteRules } from '../../src/model/route-rules.ts';
import type { RoutingTable } from '../../src/model/snapshot.ts';
import { ShareOfBounds } from '../../src/workers/share.ts';
import { at, policy, state } from '../edge/edge-harness.ts';
import { listenSettings } from '../support/listen-settings.ts';

const rules: RouteRules = {
  strip: false,
  redirect: undefined,
  allow: [],
  basicAuth: undefined,
  rate: { requests: 10, perMs: 1000, burst: 7 },
  headers: { request: { set: [], remove: [] }, response: { set: [], remove: [] } },
};

const table: RoutingTable = {
  routes: [
    { host: undefined, path: '/', service: 'app', rules },
    { host: 'free', path: '/', service: 'app' },
  ],
  services: [policy({ hold: { max: 11, maxBytes: 1001, perClient: 0 } })],
  trustedProxies: [],
  heldBytes: 10_001,
};
const replicas = ['a#1', 'b#1', 'c#2'].map((id) => at({ port: 1 }, { id }));

function shares(of: number): ShareOfBounds[] {
  return Array.from({ length: of }, (_, index) => new ShareOfBounds({ index, of }));
}

function tableOf(share: ShareOfBounds): Extract<ControlMessage, { type: 'table' }> {
  const message = { type: 'table' as const, version: 1, table, states: [state({ endpoints: replicas })] };
  return share.message(message) as Extract<ControlMessage, { type: 'table' }>;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe.each([2, 3, 5])('the parts of %i workers', (of) => {
  test('of what may be held add up to the whole, and none is nothing', () => {
    const parts = shares(of).map((share) => tableOf(share).table);
    const holds = parts.map(({ services }) => services[0]?.hold);
    expect(sum(holds.map((hold) => hold?.max ?? 0))).toBe(11);
    expect(sum(holds.map((hold) => hold?.maxBytes ?? 0))).toBe(1001);
    expect(sum(parts.map(({ heldBytes }) => heldBytes))).toBe(10_001);
    expect(holds.every((hold) => (hold?.max ?? 0) > 0)).toBe(true);
  });

  test('of a rate add up in the long run and at once', () => {
    const rates = shares(of).map((share) => tableOf(share).table.routes[0]?.rules?.rate);
    expect(sum(rates.map((rate) => (rate?.requests ?? 0) / (rate?.perMs ?? 0)))).toBeCloseTo(10 / 1000, 12);
    expect(sum(rates.map((rate) => rate?.burst ?? 0))).toBe(7);
  });

  test('of connections add up', () => {
    const listener = listenSettings({ limits: { connections: 101, connectionsPerClient: 6 } });
    const limits = shares(of).map((share) => share.listeners([listener])[0]?.limits);
    expect(sum(limits.map((limit) => limit?.connections ?? 0))).toBe(101);
    expect(sum(limits.map((limit) => limit?.connectionsPerClient ?? 0))).toBe(6);
  });
});

test('what has no limit has none in any part', () => {
  const share = new ShareOfBounds({ index: 1, of: 2 });
  const free: RoutingTable = { ...table, services: [policy()], routes: table.routes.slice(1) };
  const message = share.message({ type: 'table', version: 1, table: free, states: [state({ endpoints: replicas })] });
  expect(message.type === 'table' && message.table.routes).toEqual(free.routes);
  expect(message.type === 'table' && message.states[0]?.endpoints).toEqual(replicas);
  expect(message.type === 'table' && message.table.services[0]?.hold.perClient).toBe(0);
});
