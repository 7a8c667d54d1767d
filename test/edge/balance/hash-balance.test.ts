import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Balancer, type Choice } from '../../../src/edge/balance/balancer.ts';
import { Endpoint } from '../../../src/edge/upstream/endpoint.ts';
import { hash32 } from '../../../src/util/hash32.ts';
import { ask, Backend } from '../backends.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';

function endpoint(port: number, weight = 1): Endpoint {
  return new Endpoint({ id: `e${port}`, host: '10.0.0.1', port, state: 'ready', weight, start: null });
}

function pick(balancer: Balancer, endpoints: readonly Endpoint[], key: string, change: Partial<Choice> = {}): Endpoint {
  const choice = { endpoints, balance: 'hash', concurrency: 0, now: 0, avoid: undefined, key: hash32(key) } as const;
  return balancer.pick({ ...choice, ...change }) as Endpoint;
}

const keys = Array.from({ length: 4000 }, (_, index) => `client-${index}`);
const ports = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 2, maxLength: 12 });

/** Which endpoint each key goes to when nothing is in flight. */
function owners(endpoints: readonly Endpoint[]): Map<string, number> {
  const balancer = new Balancer();
  return new Map(keys.map((key) => [key, pick(balancer, endpoints, key).port]));
}

describe('a key', () => {
  test('goes to the same endpoint in whatever order they are listed, and after a restart', () => {
    fc.assert(
      fc.property(ports, (all) => {
        const endpoints = all.map((port) => endpoint(port));
        const again = all.toReversed().map((port) => endpoint(port));
        expect(owners(again)).toEqual(owners(endpoints));
      }),
      { numRuns: 20 },
    );
  });

  test('moves only when its endpoint goes, or to one that comes', () => {
    fc.assert(
      fc.property(ports, (all) => {
        const before = owners(all.map((port) => endpoint(port)));
        const gone = all[0] as number;
        const after = owners(all.slice(1).map((port) => endpoint(port)));
        expect([...before].filter(([key, port]) => port !== gone && after.get(key) !== port)).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  test('stays with its endpoint when that gets heavier', () => {
    const light = owners([endpoint(1), endpoint(2), endpoint(3)]);
    const heavy = owners([endpoint(1, 4), endpoint(2), endpoint(3)]);
    expect([...light].filter(([key, port]) => heavy.get(key) !== port && heavy.get(key) !== 1)).toEqual([]);
  });
});

test('keys are spread by weight', () => {
  const count = (found: Map<string, number>, port: number) =>
    [...found.values()].filter((each) => each === port).length;
  const even = owners([8080, 8081, 8082, 8083].map((port) => endpoint(port)));
  for (const port of [8080, 8081, 8082, 8083]) expect(Math.abs(count(even, port) - 1000)).toBeLessThan(130);
  const uneven = owners([endpoint(8080, 3), endpoint(8081)]);
  expect(Math.abs(count(uneven, 8080) - 3000)).toBeLessThan(130);
});

test('one key alone does not bury its endpoint: nobody has much more than a fair share', () => {
  const endpoints = [1, 2, 3, 4].map((port) => endpoint(port));
  const balancer = new Balancer();
  for (let i = 0; i < 400; i++) pick(balancer, endpoints, 'the only client').inFlight++;
  expect(Math.max(...endpoints.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(126);
  expect(endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0)).toBe(400);
});

test('a few requests at once stay together', () => {
  const endpoints = [1, 2, 3, 4].map((port) => endpoint(port));
  const balancer = new Balancer();
  const first = pick(balancer, endpoints, 'a client');
  for (let i = 0; i < 8; i++) {
    const picked = pick(balancer, endpoints, 'a client');
    expect(picked).toBe(first);
    picked.inFlight++;
  }
});

test('a full endpoint, and one that failed the request, are passed over', () => {
  const endpoints = [1, 2, 3].map((port) => endpoint(port));
  const balancer = new Balancer();
  const first = pick(balancer, endpoints, 'a client');
  const second = pick(balancer, endpoints, 'a client', { avoid: first });
  expect(second).not.toBe(first);
  first.inFlight = 2;
  expect(pick(balancer, endpoints, 'a client', { concurrency: 2 })).toBe(second);
  for (const each of endpoints) each.inFlight = 2;
  expect(pick(balancer, endpoints, 'a client', { concurrency: 2 })).toBeUndefined();
});

describe('at the edge', () => {
  // So many that chance, which chooses the ports, sends them all to one of six once in 10¹⁴ times.
  const many = Array.from({ length: 20 }, (_, index) => `of-${index}`);

  async function spread(hashOn: object, requests: [fields: string, path: string][]): Promise<Set<string>[]> {
    const backends = await Backend.all('abcdef');
    const harness = await EdgeHarness.start(policy({ balance: 'hash', hashOn: hashOn as never }));
    harness.state({ endpoints: backends.map((each) => at(each)) });
    const answers: Set<string>[] = [];
    for (const [fields, path] of requests) {
      const client = await harness.connect();
      answers.push(new Set(await ask(client, 12, fields, path)));
      client.destroy();
    }
    return answers;
  }

  const names = (sets: Set<string>[]) => new Set(sets.flatMap((set) => [...set]));

  test('requests with one value of a header stay together, others go elsewhere', async () => {
    const found = await spread(
      { kind: 'header', name: 'x-tenant' },
      many.map((tenant) => [`X-Tenant: ${tenant}\r\n`, '/']),
    );
    for (const set of found) expect(set.size).toBe(1);
    expect(names(found).size).toBeGreaterThan(1);
  });

  test('of a cookie among others only the value counts', async () => {
    const found = await spread({ kind: 'cookie', name: 'sid' }, [
      ['Cookie: sid=1; x=y\r\n', '/'],
      ['Cookie: other=7; sid=1\r\n', '/'],
      ['Cookie: xsid=3; SID=4\r\nCookie: a=b; sid=1\r\n', '/'],
    ]);
    for (const set of found) expect(set.size).toBe(1);
    expect(names(found).size).toBe(1);
  });

  test('of a path the query does not count', async () => {
    const found = await spread(
      { kind: 'path' },
      many.flatMap((path): [string, string][] => [
        ['', `/${path}`],
        ['', `/${path}?q=${path}`],
      ]),
    );
    for (const set of found) expect(set.size).toBe(1);
    for (let i = 0; i < found.length; i += 2) expect(found[i]).toEqual(found[i + 1]);
    expect(names(found).size).toBeGreaterThan(1);
  });

  test('a client stays where it is', async () => {
    const found = await spread({ kind: 'client' }, [
      ['', '/a'],
      ['', '/b'],
    ]);
    expect(names(found).size).toBe(1);
  });

  test('requests that lack the header go anywhere', async () => {
    const [found] = await spread({ kind: 'header', name: 'x-tenant' }, [['', '/']]);
    expect(found?.size).toBeGreaterThan(1);
  });
});
