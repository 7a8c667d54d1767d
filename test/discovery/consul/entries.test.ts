import { describe, expect, test } from 'vitest';
import { endpointsOf, readEntries } from '../../../src/discovery/consul/entries.ts';
import { healthEntry } from './fake-consul.ts';

const addresses = (body: unknown, ...tags: string[]) =>
  endpointsOf(readEntries(body).instances, { tags }).endpoints.map(({ host, port }) => `${host}:${port}`);

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

  test('an entry that a Pilotlight registered is never among them, one that merely looks like it by its id or metadata is', () => {
    const body = [
      healthEntry({ id: 'pilotlight-edge1-shop', port: 1, meta: { pilotlight: 'edge1' } }),
      healthEntry({ id: 'pilotlight-web', port: 2 }),
      healthEntry({ id: 'other', port: 3, meta: { pilotlight: 'true' } }),
      healthEntry({ id: 'pilotlight-shop', port: 4, meta: { pilotlight: 'true' } }),
      healthEntry({ id: 'theirs', port: 5 }),
    ];
    expect(addresses(body)).toEqual(['10.0.0.1:2', '10.0.0.1:3', '10.0.0.1:4', '10.0.0.1:5']);
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
    expect(addresses(body, 'blue', 'v2')).toEqual(['10.0.0.1:2']);
    expect(addresses(body, 'blue', 'v1')).toEqual([]);
  });

  test('the weight is that of the state the checks are in', () => {
    const weights = { Passing: 10, Warning: 2 };
    const body = [
      healthEntry({ id: 'a', port: 1, weights }),
      healthEntry({ id: 'b', port: 2, weights, checks: [check('x', 'warning')] }),
      { ...healthEntry({ id: 'c', port: 3 }), Service: { ID: 'c', Address: '10.0.0.1', Port: 3 } },
    ];
    expect(endpointsOf(readEntries(body).instances, {}).endpoints.map(({ weight }) => weight)).toEqual([10, 2, 1]);
  });

  test('a weight of nothing is kept: Consul calls the instance alive, and it may be the only one', () => {
    const checks = [check('x', 'warning')];
    const weights = (entry: Parameters<typeof healthEntry>[0]) =>
      endpointsOf(readEntries([healthEntry(entry)]).instances, {}).endpoints.map(({ weight }) => weight);
    expect(weights({ weights: { Passing: 1, Warning: 0 }, checks })).toEqual([0]);
    expect(weights({ weights: { Passing: 0, Warning: 1 } })).toEqual([0]);
  });
});

describe('what a warning does', () => {
  const weights = { Passing: 4, Warning: 3 };
  const body = [
    healthEntry({ id: 'well', port: 1, weights }),
    healthEntry({ id: 'ailing', port: 2, weights, checks: [check('x', 'warning')] }),
  ];
  test.each([
    ['use', [4, 3], []],
    ['avoid', [4, 0], []],
    ['refuse', [4], [{ host: '10.0.0.1', port: 2, reason: 'unhealthy' }]],
  ] as const)('%s', (warning, weights, unused) => {
    const chosen = endpointsOf(readEntries(body).instances, { warning });
    expect(chosen.endpoints.map(({ weight }) => weight)).toEqual(weights);
    expect(chosen.unused).toEqual(unused);
  });
});

test('what is out of use is told with its reason, unless its address is in use all the same', () => {
  const body = [
    healthEntry({ id: 'sick', port: 1, checks: [check('service:sick', 'critical')] }),
    healthEntry({
      id: 'mended',
      port: 2,
      checks: [check('x', 'critical'), check('_service_maintenance:mended', 'critical')],
    }),
    healthEntry({ id: 'node', port: 3, checks: [check('_node_maintenance', 'critical')] }),
    healthEntry({ id: 'old', port: 4, checks: [check('x', 'critical')] }),
    healthEntry({ id: 'new', port: 4 }),
    healthEntry({ id: 'other', port: 5, tags: ['other'], checks: [check('x', 'critical')] }),
  ];
  const { unused } = endpointsOf(readEntries(body).instances, {});
  expect(unused.map(({ port, reason }) => [port, reason])).toEqual([
    [1, 'unhealthy'],
    [2, 'maintenance'],
    [3, 'maintenance'],
    [5, 'unhealthy'],
  ]);
  expect(endpointsOf(readEntries(body).instances, { tags: ['other'] }).unused).toHaveLength(1);
});

describe('nearness: the list is in order of it', () => {
  const backups = (body: object[], warning?: 'avoid') =>
    endpointsOf(readEntries(body, { near: '_agent' }).instances, { warning }).endpoints.map(({ port, backup }) => [
      port,
      backup,
    ]);
  const sick = [check('x', 'critical')];

  test('the nearest node serves, the others stand by', () => {
    const body = [
      healthEntry({ id: 'a', node: 'near', port: 1 }),
      healthEntry({ id: 'b', node: 'far', port: 2 }),
      healthEntry({ id: 'c', node: 'near', port: 3 }),
    ];
    expect(backups(body)).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ]);
  });

  test('one whose instances are out of use, or to be avoided, is not the nearest', () => {
    const far = healthEntry({ id: 'b', node: 'far', port: 2 });
    expect(backups([healthEntry({ id: 'a', node: 'near', port: 1, checks: sick }), far])).toEqual([[2, false]]);
    const ailing = healthEntry({ id: 'a', node: 'near', port: 1, checks: [check('x', 'warning')] });
    expect(backups([ailing, far], 'avoid')).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(backups([ailing], 'avoid')).toEqual([[1, false]]);
  });

  test('where nobody asked for it nothing stands by', () => {
    expect(endpointsOf(readEntries([healthEntry({})]).instances, {}).endpoints[0]).not.toHaveProperty('backup');
  });
});

describe('a port by its name', () => {
  const read = (entry: object) => readEntries([entry], { port: 'admin' });
  test.each([
    [
      'among its ports',
      {
        Ports: [
          { Name: 'http', Port: 1 },
          { Name: 'admin', Port: 2 },
        ],
      },
      '10.0.0.1:2',
    ],
    ['as a tagged address', { TaggedAddresses: { admin: { Address: '10.0.0.7', Port: 3 } } }, '10.0.0.7:3'],
    ['in its metadata', { Meta: { admin_port: '4' } }, '10.0.0.1:4'],
  ])('%s', (_, more, address) => {
    const { instances } = read(healthEntry({ more }));
    expect(instances.map(({ host, port }) => `${host}:${port}`)).toEqual([address]);
  });

  test('an entry without it, or with one that makes no sense, is skipped and named', () => {
    expect(read(healthEntry({})).bad).toEqual([{ name: '"one" on node "n1"', reason: 'it has no port admin' }]);
    expect(read(healthEntry({ meta: { admin_port: 'x' } })).bad).toMatchObject([{ reason: 'its port admin is "x"' }]);
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
    expect(endpointsOf(readEntries(entries).instances, {}).endpoints).toMatchObject([{ weight: 65_535 }]);
  });

  test.each([[null], [{}], ['text'], [3]])('%j is no list of entries at all', (body) => {
    expect(() => readEntries(body)).toThrow(expect.objectContaining({ code: 'DISCOVERY_FAILED' }));
  });
});
