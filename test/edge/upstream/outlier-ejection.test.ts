import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Eligibility } from '../../../src/edge/balance/eligibility.ts';
import { Endpoint } from '../../../src/edge/upstream/endpoint.ts';
import {
  afterAnswer,
  ejectionMs,
  mostEjected,
  type OutlierState,
  trustAgain,
  unjudged,
} from '../../../src/edge/upstream/outlier.ts';
import type { OutlierSettings } from '../../../src/model/balancing.ts';
import { ask, Backend, eventually, served } from '../backends.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { deadPort, ok } from '../wire.ts';

const outlier: OutlierSettings = {
  consecutive: 5,
  intervalMs: 10_000,
  ejectMs: 30_000,
  maxEjectMs: 300_000,
  maxShare: 0.5,
};

const always = () => true;

function failing(state: OutlierState, times: number, now: number, mayEject = always): OutlierState {
  let next = state;
  for (let i = 0; i < times; i++) next = afterAnswer(next, 'failure', outlier, now, mayEject);
  return next;
}

describe('one endpoint', () => {
  test('is ejected by so many failures in a row, and by no fewer', () => {
    expect(failing(unjudged, 4, 0).kind).toBe('trusted');
    expect(failing(unjudged, 5, 100)).toEqual({ kind: 'ejected', ejections: 1, until: 30_100 });
    const reset = afterAnswer(failing(unjudged, 4, 0), 'success', outlier, 0, always);
    expect(failing(reset, 4, 0).kind).toBe('trusted');
  });

  test('that may not be ejected yet is at its next failure after it may', () => {
    const waiting = failing(unjudged, 20, 0, () => false);
    expect(waiting.kind).toBe('trusted');
    expect(failing(waiting, 1, 0).kind).toBe('ejected');
  });

  test('stays ejected whatever it answers meanwhile', () => {
    const ejected = failing(unjudged, 5, 0);
    expect(afterAnswer(ejected, 'success', outlier, 1, always)).toBe(ejected);
    expect(failing(ejected, 9, 1)).toBe(ejected);
  });

  test('is out longer each time, up to a bound, and less again after every quiet interval', () => {
    let state: OutlierState = unjudged;
    let now = 0;
    const lengths: number[] = [];
    const eject = () => {
      state = failing(state, 5, now);
      if (state.kind !== 'ejected') throw new Error('not ejected');
      lengths.push((state.until - now) / 1000);
      now = state.until;
      state = trustAgain(state, now);
    };
    for (let i = 0; i < 12; i++) eject();
    expect(lengths).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]);
    now += 3 * outlier.intervalMs;
    eject();
    expect(lengths.at(-1)).toBe(240);
    now += 1000 * outlier.intervalMs;
    eject();
    expect(lengths.at(-1)).toBe(30);
  });

  test('is never ejected where failures are not counted', () => {
    const never = { ...outlier, consecutive: 0 };
    let state: OutlierState = unjudged;
    for (let i = 0; i < 100; i++) state = afterAnswer(state, 'failure', never, 0, always);
    expect(state.kind).toBe('trusted');
  });
});

test('never more than half of the endpoints may be ejected, and never all', () => {
  expect([0, 1, 2, 3, 4, 5, 9].map((count) => mostEjected(count, outlier))).toEqual([0, 0, 1, 1, 2, 2, 4]);
  expect([1, 4, 10].map((count) => mostEjected(count, { ...outlier, maxShare: 0.1 }))).toEqual([0, 0, 1]);
});

type Step =
  | { kind: 'answer'; of: number; ok: boolean }
  | { kind: 'pass'; ms: number }
  | { kind: 'come' }
  | { kind: 'suspect' | 'sick' | 'well' | 'go'; of: number };

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('answer' as const), of: fc.nat(20), ok: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(60_000) }) },
    fc.record({ kind: fc.constantFrom('suspect', 'sick', 'well', 'come', 'go' as const), of: fc.nat(20) }),
  ) as fc.Arbitrary<Step>,
  { maxLength: 200 },
);

test('whatever happens: at most half is ejected, somebody healthy serves, and time brings everyone back', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), fc.boolean(), (script, consecutive, wakeable) => {
      const settings = { ...outlier, consecutive };
      const rules = policy({ outlier: settings, wakeable });
      const eligibility = new Eligibility();
      let now = 0;
      let ports = 0;
      const make = () => {
        const port = ++ports;
        const backup = port % 5 === 0;
        return new Endpoint({ id: `${port}`, host: 'h', port, state: 'ready', weight: 1, start: null, backup });
      };
      let ready = [make()];
      const ejected = () => ready.filter(({ outlier: { kind } }) => kind === 'ejected');
      const check = () => {
        expect(ejected().length).toBeLessThanOrEqual(mostEjected(ready.length, settings));
        expect(eligibility.open.length > 0).toBe(ready.some(({ isHealthy }) => isHealthy));
        for (const endpoint of ready) expect(endpoint.isOpen).toBe(eligibility.open.includes(endpoint));
        for (const endpoint of eligibility.open) expect(endpoint.isHealthy).toBe(true);
        const usable = ready.filter((each) => each.isHealthy && each.suspectUntil <= now && !ejected().includes(each));
        const first = usable.filter(({ backup }) => !backup);
        if (first.length > 0) expect(eligibility.open).toEqual(first);
        else if (usable.length > 0) expect(eligibility.open).toEqual(usable);
      };
      eligibility.update(ready, rules, now);
      for (const step of script) {
        if (step.kind === 'pass') now += step.ms;
        else if (step.kind === 'come') ready = [...ready, make()];
        else {
          const endpoint = ready[step.of % ready.length] as Endpoint;
          if (step.kind === 'go') ready = ready.length > 1 ? ready.filter((each) => each !== endpoint) : ready;
          else if (step.kind === 'suspect') endpoint.suspectUntil = now + 1000;
          else if (step.kind === 'sick') endpoint.health = 'unhealthy';
          else if (step.kind === 'well') endpoint.health = 'healthy';
          else if (step.kind === 'answer') {
            const answer = step.ok ? 'success' : 'failure';
            const mayEject = () => ejected().length < mostEjected(ready.length, settings);
            endpoint.outlier = afterAnswer(endpoint.outlier, answer, settings, now, mayEject);
          }
        }
        eligibility.update(ready, rules, now);
        check();
        expect(eligibility.recheckAt).toBeGreaterThan(now);
      }
      now += outlier.maxEjectMs;
      eligibility.update(ready, rules, now);
      expect(ejected()).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('the longest ejection is not exceeded', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), (times) => {
      expect(ejectionMs(times, outlier)).toBe(Math.min(times * 30_000, 300_000));
    }),
  );
});

describe('at the edge', () => {
  const without = { wakeable: false, balance: 'round-robin' } as const;
  const changes = { outlier, ...without };

  test('an endpoint that answers 5xx again and again gets no requests for a while, then some again', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.ready([a.origin, b.origin], changes);
    a.mood = 500;
    expect(await served(harness, 10)).toBe('ab');
    expect(a.requests).toBe(5);
    expect(await served(harness, 20)).toBe('b');
    const conditions = (await harness.service())?.endpoints.map(({ condition }) => condition);
    expect(conditions).toEqual(['ejected', undefined]);
    await harness.pass(29_900, 1000);
    expect(await served(harness, 6)).toBe('b');
    await harness.pass(200);
    a.mood = 200;
    expect(await served(harness, 6)).toBe('ab');
  });

  test('a good answer in between starts the count anew', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.ready([a.origin, b.origin], changes);
    const client = await harness.connect();
    for (let round = 0; round < 4; round++) {
      a.mood = 503;
      await ask(client, 8);
      a.mood = 404;
      await ask(client, 2);
    }
    expect(a.requests).toBe(20);
  });

  test('the only endpoint stays, however it fails', async () => {
    const a = await Backend.listen('a', 500);
    const harness = await EdgeHarness.ready(a.origin, changes);
    await ask(await harness.connect(), 30);
    expect(a.requests).toBe(30);
  });

  test('where all fail, half of them stay', async () => {
    const backends = await Backend.all('abcd');
    for (const backend of backends) backend.mood = 500;
    const harness = await EdgeHarness.ready(
      backends.map(({ origin }) => origin),
      changes,
    );
    const client = await harness.connect();
    await ask(client, 40);
    expect(new Set(await ask(client, 20)).size).toBe(2);
  });

  test('ejected ones serve when the others go away', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.ready([a.origin, b.origin], changes);
    a.mood = 500;
    await served(harness, 12);
    expect(await served(harness, 4)).toBe('b');
    harness.state({ endpoints: [at(a)] });
    expect(await served(harness, 4)).toBe('a');
  });

  test('failed connects count, and clients notice none of them', async () => {
    const b = await Backend.listen('b');
    const dead = await deadPort();
    const harness = await EdgeHarness.start(policy({ ...changes, retries: { max: 1, budget: 1 } }));
    harness.state({ endpoints: [at({ port: dead }), at(b)] });
    const client = await harness.connect();
    for (let i = 0; i < 5; i++) {
      expect(new Set(await ask(client, 4))).toEqual(new Set(['b']));
      await harness.pass(1000, 100);
    }
    const suspects = harness.all('suspect').length;
    expect(suspects).toBe(5);
    await harness.pass(20_000, 1000);
    expect(new Set(await ask(client, 10))).toEqual(new Set(['b']));
    expect(harness.all('suspect').length).toBe(suspects);
    await harness.pass(10_000, 1000);
    expect(new Set(await ask(client, 4))).toEqual(new Set(['b']));
    expect(harness.all('suspect').length).toBe(suspects + 1);
  });

  test('connections that break count, also in the middle of an answer', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.ready([a.origin, b.origin], { ...changes, retries: { max: 0 } });
    a.origin.script = async (connection) => {
      await connection.request();
      a.targets.push('/');
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      connection.reset();
    };
    for (let i = 0; i < 30; i++) {
      const client = await harness.connect();
      client.get();
      await client.answer().catch(() => undefined);
      client.destroy();
    }
    expect(a.requests).toBe(5);
    expect(b.requests).toBe(25);
  });

  test('answers that do not come in time count', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    a.mood = 'silent';
    const harness = await EdgeHarness.ready([a.origin, b.origin], { ...changes, timeouts: { firstByteMs: 1000 } });
    const clients = await Promise.all(Array.from({ length: 20 }, () => harness.connect()));
    for (const client of clients) client.get();
    await eventually(() => [a.requests, b.requests]).toEqual([10, 10]);
    await harness.inFlight(10);
    await harness.pass(1200);
    const answers = await Promise.all(clients.map((client) => client.answer()));
    expect(answers.filter(({ status }) => status === 504)).toHaveLength(10);
    expect(await served(harness, 6)).toBe('b');
  });

  test('a connection that the endpoint closed because it was idle is no failure', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.ready([a.origin, b.origin], { ...changes, retries: { max: 1, budget: 1 } });
    let first = true;
    a.origin.script = async (connection) => {
      await connection.request();
      a.targets.push('/');
      connection.write(ok('a'));
      // The next request on it is cut off unanswered, as if the close had been under way.
      if ((await connection.request()) !== undefined) first = false;
      connection.reset();
    };
    const client = await harness.connect();
    const bodies = await ask(client, 40);
    expect(first).toBe(false);
    expect(bodies.filter((body) => body === 'a').length).toBeGreaterThan(5);
    expect(await served(harness, 4)).toBe('ab');
  });

  test('a tunnel that either side closes is no failure, and neither is what breaks behind its end', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const last = ['close', 'close after the client', 'break after the end'];
    for (const { origin } of [a, b]) {
      origin.script = async (connection) => {
        const seen = await connection.request();
        const how = seen?.fields['x-how']?.[0];
        connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n');
        if (how === 'close after the client') await connection.untilOver();
        connection.end();
        if (how !== 'break after the end') return;
        await connection.readThrough('more');
        connection.reset();
      };
    }
    const harness = await EdgeHarness.ready([a.origin, b.origin], changes);
    for (let i = 0; i < 30; i++) {
      const how = last[i % last.length] as string;
      const client = await harness.connect();
      client.get('/', `Connection: Upgrade\r\nUpgrade: foo\r\nX-How: ${how}\r\n`);
      expect((await client.answer()).status).toBe(101);
      if (how === 'close after the client') client.end();
      expect(await client.untilOver()).toBe('end');
      if (how === 'break after the end') client.write('more');
      client.end();
      await eventually(() => client.closed).toBe(true);
    }
    await harness.inFlight(0);
    expect(await harness.sum('resets')).toBe(0);
    expect([a.origin.connections.length, b.origin.connections.length]).toEqual([15, 15]);
    expect(harness.accessed.map(({ status, ending }) => `${status} ${ending}`)).toEqual(Array(30).fill('101 complete'));
  });

  test('a tunnel that opens is a good answer', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    a.origin.script = async (connection) => {
      const seen = await connection.request();
      a.targets.push('/');
      if (seen?.fields['upgrade'] === undefined) connection.reset();
      connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n');
      await connection.untilOver();
      connection.end();
    };
    const harness = await EdgeHarness.ready([a.origin, b.origin], { ...changes, retries: { max: 0 } });
    const opened = new Set<number>();
    for (let i = 0; i < 30; i++) {
      const client = await harness.connect();
      client.get('/', i % 6 < 2 ? 'Connection: Upgrade\r\nUpgrade: foo\r\n' : '');
      const answer = await client.answer().catch(() => undefined);
      if (answer !== undefined) opened.add(answer.status);
      client.destroy();
      await harness.inFlight(0);
    }
    expect([...opened].sort()).toEqual([101, 200, 502]);
    expect(a.requests).toBe(15);
  });

  test('without the option nobody is ejected', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    a.mood = 500;
    const harness = await EdgeHarness.ready([a.origin, b.origin], without);
    await ask(await harness.connect(), 40);
    expect(a.requests).toBe(20);
    expect(b.requests).toBe(20);
  });
});
