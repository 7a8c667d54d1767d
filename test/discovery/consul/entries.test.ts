import { describe, expect, test } from 'vitest';
import { endpointsOf, readEntries } from '../../../src/discovery/consul/entries.ts';
import { healthEntry } from './fake-consul.ts';

const addresses = (body: unknown, tag?: string | string[]) =>
  endpointsOf(readEntries(body).instances, tag).map(({ host, port }) => `${host}:${port}`);

const check = (CheckID: string, Status: string) => ({ CheckID, Status });

describe('which entries are usable', () => {
  test.each([
    ['all checks pass', [check('serfHealth', 'passing'), check('service:one', 'passing')], true],
    ['there is no check', [], true],
    ['a check warns', [check('serfHealth', 'passing'), check('service:one', 'warning')], true],
    ['its own check is critical', [check('serfHealth', 'passing'), check('service:one', 'critical')], false],
    ['its node is gone', [check('serfHealth', 'critical'), check('service:one', 'passing')], false],
    ['a check has a state nobody knows', [check('service:one', 'odd')], false],
    ['its node is in maintenance', [check('_node_maintenance', 'critical')], false],
    ['it is in maintenance', [check('_service_maintenance:one', 'critical')], false],
  ])('%s', (_, checks, usable) => {
    expect(addresses([healthEntry({ checks })])).toEqual(usable ? ['10.0.0.1:8001'] : []);
  });

  test('checks that are null count as none', () => {
    expect(addresses([{ ...healthEntry({}), Checks: null }])).toEqual(['10.0.0.1:8001']);
  });

  test('an entry of Pilotlight itself is never among them', () => {
    const body = [
      healthEntry({ id: 'pilotlight-edge1-shop', port: 1 }),
      healthEntry({ id: 'other', port: 2, meta: { pilotlight: 'edge2' } }),
      healthEntry({ id: 'theirs', port: 3 }),
    ];
    expect(addresses(body)).toEqual(['10.0.0.1:3']);
  });
});

describe('where an instance is', () => {
  test('without an address of its own, at its node', () => {
    expect(addresses([healthEntry({ address: '' })])).toEqual(['10.9.9.9:8001']);
  });

  test('the same service id on two nodes is two instances', () => {
    const body = [healthEntry({ node: 'a', address: '10.0.0.1' }), healthEntry({ node: 'b', address: '10.0.0.2' })];
    expect(addresses(body)).toEqual(['10.0.0.1:8001', '10.0.0.2:8001']);
  });

  test('two ids at one address are one endpoint, usable if either is', () => {
    const dead = healthEntry({ id: 'old', checks: [check('service:old', 'critical')] });
    expect(addresses([dead, healthEntry({ id: 'new' })])).toEqual(['10.0.0.1:8001']);
  });

  test('IPv6 addresses and names are taken', () => {
    const body = [healthEntry({ id: 'a', address: '2001:db8::7' }), healthEntry({ id: 'b', address: 'host-1.local' })];
    expect(addresses(body)).toEqual(['2001:db8::7:8001', 'host-1.local:8001']);
  });
});

describe('tags and weights', () => {
  test('only instances with the tag', () => {
    const body = [
      healthEntry({ id: 'a', port: 1, tags: ['v1'] }),
      healthEntry({ id: 'b', port: 2, tags: ['v2', 'blue'] }),
    ];
    expect(addresses(body, 'v2')).toEqual(['10.0.0.1:2']);
    expect(addresses(body)).toEqual(['10.0.0.1:1', '10.0.0.1:2']);
    expect(addresses(body, ['blue', 'v2'])).toEqual(['10.0.0.1:2']);
    expect(addresses(body, ['blue', 'v1'])).toEqual([]);
  });

  test('the weight is that of the state the checks are in', () => {
    const weights = { Passing: 10, Warning: 2 };
    const body = [
      healthEntry({ id: 'a', port: 1, weights }),
      healthEntry({ id: 'b', port: 2, weights, checks: [check('x', 'warning')] }),
      { ...healthEntry({ id: 'c', port: 3 }), Service: { ID: 'c', Address: '10.0.0.1', Port: 3 } },
    ];
    expect(endpointsOf(readEntries(body).instances, undefined).map(({ weight }) => weight)).toEqual([10, 2, 1]);
  });

  test('a weight of nothing is kept: Consul calls the instance alive, and it may be the only one', () => {
    const checks = [check('x', 'warning')];
    const weights = (entry: Parameters<typeof healthEntry>[0]) =>
      endpointsOf(readEntries([healthEntry(entry)]).instances, undefined).map(({ weight }) => weight);
    expect(weights({ weights: { Passing: 1, Warning: 0 }, checks })).toEqual([0]);
    expect(weights({ weights: { Passing: 0, Warning: 1 } })).toEqual([0]);
  });
});

describe('entries that make no sense', () => {
  test.each([
    ['port 0', healthEntry({ port: 0 })],
    ['a port beyond the range', healthEntry({ port: 70_000 })],
    ['a port that is text', healthEntry({ port: '80' })],
    ['an address that is none', healthEntry({ address: 'http://x/' })],
    ['an address of no particular host', healthEntry({ address: '0.0.0.0' })],
    ['an address of no host, spelt otherwise', healthEntry({ address: '::ffff:0.0.0.0' })],
    ['a number that resolvers take for an address', healthEntry({ address: '2130706433' })],
    ['part of an address', healthEntry({ address: '127.1' })],
    ['a line end in its address', healthEntry({ address: '10.0.0.1\r\nX-Y: z' })],
    ['no service', { Node: { Node: 'n1', Address: '10.0.0.1' }, Checks: [] }],
    ['checks that are no list', { ...healthEntry({}), Checks: 'none' }],
    ['null', null],
    ['a number', 7],
  ])('%s: skipped and named, the others kept', (_, entry) => {
    const body = [entry, healthEntry({ id: 'good', port: 9000 })];
    expect(addresses(body)).toEqual(['10.0.0.1:9000']);
    expect(readEntries(body).bad).toHaveLength(1);
  });

  /** Deeper than can be written as JSON. */
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);

  test.each([
    ['its id', { ID: deep }],
    ['its port', { Port: deep }],
    ['its address', { Address: null }],
  ])('%s nested without end: skipped and named, the others kept', (_, change) => {
    const entry = healthEntry({});
    const bad = { ...entry, Node: { Node: 'n1', Address: deep }, Service: { ...(entry.Service as object), ...change } };
    expect(addresses([bad, healthEntry({ id: 'good', port: 9000 })])).toEqual(['10.0.0.1:9000']);
    expect(readEntries([bad]).bad).toHaveLength(1);
  });

  test('tags that are no texts are none', () => {
    const entry = healthEntry({});
    const tags = [{ toString: 1, valueOf: 1 }, deep, null, 7, 'v2'];
    const odd = { ...entry, Service: { ...(entry.Service as object), Tags: tags } };
    expect(addresses([odd], 'v2')).toEqual(['10.0.0.1:8001']);
    expect(addresses([odd], '7')).toEqual([]);
  });

  test('weights that cannot be added up are the most that there is', () => {
    const entries = [healthEntry({ weights: { Passing: 1e308, Warning: 1 } })];
    expect(endpointsOf(readEntries(entries).instances, undefined)).toMatchObject([{ weight: 65_535 }]);
  });

  test.each([[null], [{}], ['text'], [3]])('%j is no list of entries at all', (body) => {
    expect(() => readEntries(body)).toThrow(expect.objectContaining({ code: 'DISCOVERY_FAILED' }));
  });
});
