import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type AskAccess, createAskAccess, type Denied } from '../../../src/discovery/consul/access.ts';
import { ConsulKnowledge } from '../../../src/discovery/consul/knowledge.ts';
import { ConsulLoop, LONG_WAIT_MS } from '../../../src/discovery/consul/loop.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { FakeConsul, healthEntry } from './fake-consul.ts';
import { answer, consulSettings, follows, runSource, ScriptedAsk } from './harness.ts';

const never = new AbortController().signal;
const entry = (id: string, node: string, port = 1) => healthEntry({ id, node, port });
/** Two instances on each of two nodes. */
const four = [entry('a', 'n1', 1), entry('b', 'n1', 2), entry('c', 'n2', 3), entry('d', 'n2', 4)];

/** A service whose token may read what `denied` leaves. */
function knowledge(askAccess: AskAccess) {
  const clock = new VirtualClock();
  const known = new ConsulKnowledge({ service: 'shop' }, clock, silentLogger, askAccess);
  const ports = () => known.choose({}).endpoints.map(({ port }) => port);
  const take = (body: object[], filtered = false) => known.take({ ...answer(body, 1n), filtered }, never);
  return { clock, known, ports, take };
}

const denies = (service: boolean, ...nodes: string[]): AskAccess => {
  return async (_, asked): Promise<Denied> => ({
    service,
    nodes: new Set(asked.filter((node) => nodes.includes(node))),
  });
};
const silent: AskAccess = async () => undefined;

describe('what is listed no more', () => {
  test('stays when the token may not read it, and goes when it may', () => {
    const nodes = fc.constantFrom('n1', 'n2', 'n3');
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 9 });
    return fc.assert(
      fc.asyncProperty(
        ids,
        ids,
        fc.array(nodes, { minLength: 10, maxLength: 10 }),
        fc.subarray(['n1', 'n2', 'n3']),
        async (before, after, on, dark) => {
          const list = (all: number[]) => all.map((id) => entry(`i${id}`, on[id] as string, id));
          const { take, ports, clock, known } = knowledge(denies(false, ...dark));
          await take(list(before));
          // One look for the rights after it, and for an empty list another one.
          for (let looks = 0; looks < 3; looks++) {
            await take(list(after));
            clock.advance(2000);
          }
          const kept = before.filter((id) => !after.includes(id) && dark.includes(on[id] as string));
          expect(ports()).toEqual([...new Set([...after, ...kept])].sort());
          expect(known.denial !== undefined).toBe(kept.length > 0);
        },
      ),
    );
  });

  test('is said: the service, or the nodes of it', async () => {
    const all = knowledge(denies(true));
    await all.take(four);
    await all.take([]);
    expect(all.ports()).toEqual([1, 2, 3, 4]);
    expect(all.known.denial?.message).toBe(
      'the token may not read service shop: 4 instances that were known stay in use',
    );
    const part = knowledge(denies(false, 'n2'));
    await part.take(four);
    for (let looks = 0; looks < 2; looks++) await part.take([entry('a', 'n1', 1)]);
    expect(part.ports()).toEqual([1, 3, 4]);
    expect(part.known.denial?.message).toBe(
      'the token may not read service shop on node n2: 2 instances that were known stay in use',
    );
    await part.take(four);
    expect(part.known.denial?.message).toBeUndefined();
  });

  test('stays when Consul says that something is left out and not what; nothing is said to be in full sight', async () => {
    const { take, ports, known, clock } = knowledge(silent);
    await take(four);
    for (let looks = 0; looks < 20; looks++) {
      await take([], true);
      clock.advance(10_000);
    }
    expect(ports()).toEqual([1, 2, 3, 4]);
    expect(known.denial?.message).toContain('the token may not read service shop in full');
  });

  test('stays while what the agent says of the token may be older than what is left out, and goes after', async () => {
    const { take, ports, clock } = knowledge(denies(false));
    await take(four);
    await take([entry('a', 'n1', 1)], true);
    clock.advance(59_000);
    await take([entry('a', 'n1', 1)], true);
    expect(ports()).toEqual([1, 2, 3, 4]);
    clock.advance(1000);
    for (let looks = 0; looks < 2; looks++) await take([entry('a', 'n1', 1)], true);
    expect(ports()).toEqual([1]);
  });

  test('goes as ever where Consul tells nothing of its token', async () => {
    const { take, ports, clock } = knowledge(silent);
    await take(four);
    await take(four.slice(0, 2));
    expect(ports()).toEqual([1, 2]);
    await take([]);
    clock.advance(2000);
    await take([]);
    expect(ports()).toEqual([]);
  });
});

test('a list that was asked for while the token had no rights takes nothing away when it has them again', async () => {
  let denied = true;
  const { take, ports, known } = knowledge(async () => ({ service: denied, nodes: new Set() }));
  await take(four);
  await take([]);
  denied = false;
  // Asked for before that.
  await take([four[0] as object]);
  expect(ports()).toEqual([1, 2, 3, 4]);
  expect(known.lookAgainIn).toBe(20);
  await take(four.slice(0, 3));
  expect(ports()).toEqual([1, 2, 3]);
  expect(known.lookAgainIn).toBeUndefined();
  // Nor across an outage.
  await take(four.slice(0, 1));
  known.interrupt();
  await take(four.slice(0, 1));
  expect(ports()).toEqual([1, 2, 3]);
});

describe('a first answer that is empty', () => {
  test('says nothing when the token may not read the service, or something was left out', async () => {
    for (const [access, filtered] of [
      [denies(true), false],
      [silent, true],
      [denies(false), true],
    ] as const) {
      const { take, known } = knowledge(access);
      expect(await take([], filtered)).toBe(false);
      expect(known.known).toBe(false);
      expect(known.denial?.message).toMatch(/^the token may not read service shop.*: nothing is known of it$/);
      await take(four, filtered);
      expect(known.known).toBe(true);
    }
  });

  test('is believed, with a warning, when only the nodes might be out of sight', async () => {
    const { take, known } = knowledge(denies(false, ''));
    for (let looks = 0; looks < 2; looks++) await take([]);
    expect(known.known).toBe(true);
    expect(known.denial?.message).toContain('the token may not read every node');
  });
});

test('what the token may not see is looked for again every 10 s, though no index moves with a policy', async () => {
  const clock = new VirtualClock();
  let denied = true;
  const known = new ConsulKnowledge({ service: 'shop' }, clock, silentLogger, async () => ({
    service: denied,
    nodes: new Set(),
  }));
  const script = new ScriptedAsk(clock, (query) => (query.index === 5n ? 'block' : answer(denied ? [] : four, 5n)));
  const loop = new ConsulLoop({
    question: { path: '/v1/health/service/shop' },
    ask: script.ask,
    clock,
    random: () => 0,
    waitMs: () => known.lookAgainIn ?? LONG_WAIT_MS,
    take: (given, signal) => known.take(given, signal),
    onAnswer: () => undefined,
    onFailure: () => undefined,
  });
  const abort = new AbortController();
  const ended = loop.run(abort.signal);
  await clock.advanceAsync(1000);
  expect(script.asked.at(-1)?.query.waitMs).toBe(10_000);
  denied = false;
  await clock.advanceAsync(10_000);
  expect(known.choose({}).endpoints).toHaveLength(4);
  await clock.advanceAsync(1000);
  expect(script.asked.at(-1)?.query.waitMs).toBe(LONG_WAIT_MS);
  abort.abort();
  await ended;
});

describe('what Consul is asked of its token', () => {
  const verdicts = (allow: boolean[]) => ({ status: 200, body: JSON.stringify(allow.map((Allow) => ({ Allow }))) });

  test('is never more than 64 things at once', async () => {
    const sizes: number[] = [];
    const ask = createAskAccess(async (body) => {
      const asked = JSON.parse(body) as { Resource: string; Segment: string }[];
      sizes.push(asked.length);
      return verdicts(asked.map(({ Segment }) => Segment !== 'n100'));
    });
    const denied = await ask(
      'shop',
      Array.from({ length: 130 }, (_, i) => `n${i}`),
      never,
    );
    expect(denied).toEqual({ service: false, nodes: new Set(['n100']) });
    expect(sizes).toEqual([64, 64, 5]);
  });

  test.each([
    ['ACLs are off', 401, 'ACL support disabled', 'open'],
    ['the agent does not know the question', 404, '', undefined],
    ['something in between refuses', 403, 'Forbidden', undefined],
    ['the answer is none', 200, '{"a":1}', undefined],
    ['the answer is too short', 200, '[]', undefined],
    ['the answer holds nothing', 200, '[null,null]', undefined],
  ])('%s', async (_, status, body, expected) => {
    expect(await createAskAccess(async () => ({ status, body }))('shop', ['n1'], never)).toEqual(expected);
  });

  test('trouble is no answer', async () => {
    const ask = createAskAccess(async () => ({ status: 500, body: 'No cluster leader' }));
    await expect(ask('shop', ['n1'], never)).rejects.toMatchObject({ code: 'DISCOVERY_FAILED' });
  });
});

describe.each([
  ['one by one', 1],
  ['as a fleet', 130],
])('services followed %s', (_, count) => {
  const names = Array.from({ length: count }, (__, i) => `s${i}`);

  async function world(tellsFiltered: boolean) {
    const fake = await FakeConsul.open();
    onTestFinished(() => fake.close());
    fake.tellsFiltered = tellsFiltered;
    fake.mayRead = () => true;
    for (const name of names) {
      fake.set(name, [
        healthEntry({ id: `${name}-1`, port: 1 }),
        healthEntry({ id: `${name}-2`, port: 2, node: 'n2' }),
      ]);
    }
    return fake;
  }
  const both = ['10.0.0.1:1', '10.0.0.1:2'];

  test.each([true, false])('keep their endpoints when the token loses sight of them (told: %s)', async (told) => {
    const fake = await world(told);
    const running = runSource(
      consulSettings(fake.address),
      names.map((name) => follows(name)),
    );
    const { source, log, now, sets } = running;
    await until('all sets', () => source.answered());
    fake.mayRead = (resource, name) => resource === 'node' && name !== 'n2';
    fake.set('s0', [healthEntry({ id: 's0-1', port: 1 })]);
    await until('the warning', () => log.lines.some((line) => line.includes('may not read service s0')));
    expect(now('s0')).toEqual(both);
    expect(source.denial?.('s0')?.message).toContain('the token may not read service s0');
    expect(source.staleness('s0')).toBe(0);

    fake.mayRead = (_, name) => name !== 'n2';
    fake.set('s0', [healthEntry({ id: 's0-1', port: 7 }), healthEntry({ id: 's0-2', port: 2, node: 'n2' })]);
    await until('what is in sight', () => now('s0')?.includes('10.0.0.1:7') === true);
    expect(now('s0')).toEqual(['10.0.0.1:2', '10.0.0.1:7']);
    expect(sets.every(({ endpoints }) => endpoints.length === 2)).toBe(true);

    fake.mayRead = () => true;
    fake.set('s0', [healthEntry({ id: 's0-1', port: 7 })]);
    await until('what is gone', () => now('s0')?.length === 1);
    expect(source.denial?.('s0')).toBeUndefined();
    await until('the relief', () => log.lines.some((line) => /the token may read service s\d+ again/.test(line)));
  });

  test('that the token may not read from the beginning are not known, and it is said, not for each of many', async () => {
    const fake = await world(false);
    fake.mayRead = (resource) => resource === 'node';
    const { source, log, sets } = runSource(
      consulSettings(fake.address),
      names.map((name) => follows(name)),
    );
    const asked = () => fake.asked.filter(({ url }) => url.startsWith('/v1/internal/acl/')).length;
    await until('all were asked', () => asked() >= count);
    await until('the warnings', () => log.lines.length >= Math.min(count, 21));
    expect(source.answered()).toBe(false);
    expect(sets).toEqual([]);
    expect(log.lines.length).toBeLessThanOrEqual(21);
    expect(log.lines[0]).toContain('the token may not read service s');
    fake.mayRead = () => true;
    fake.set('s0', [healthEntry({ id: 's0-1', port: 3 })]);
    await until('the first', () => sets.some(({ service }) => service === 's0'));
  });
});
