import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { FakeConsul, type FakeConsulOptions, healthEntry, type Reply } from './fake-consul.ts';
import { consulSettings, follows, runSource } from './harness.ts';

async function openFake(options: FakeConsulOptions = {}): Promise<FakeConsul> {
  const fake = await FakeConsul.open(options);
  onTestFinished(() => fake.close());
  return fake;
}

const good = JSON.stringify([healthEntry({ port: 1 })]);

test.each<[string, Reply, string]>([
  ['500', { status: 500, body: 'No cluster leader' }, 'answers with status 500: No cluster leader'],
  ['400', { status: 400, body: 'Invalid index' }, 'answers with status 400: Invalid index'],
  ['403', { status: 403, body: 'Permission denied\n' }, 'answers with status 403: Permission denied'],
  ['half a JSON text', { body: good.slice(0, -1) }, 'sends an answer that is not JSON'],
  ['no list', { body: '{"error":"x"}' }, 'sends something that is not a list'],
])('an answer that is %s is warned of, keeps the set and does not end the watch', async (_, reply, said) => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ port: 1 })]);
  const { source, log, sets, now } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the blocking question', () => fake.asked.length === 2);
  fake.lie = () => reply;
  fake.move();
  await until('several failures', () => fake.asked.length >= 5);
  expect(log.lines).toEqual([`warn Consul at ${fake.address} ${said} (asked for service shop); retrying`]);
  expect(sets).toHaveLength(1);
  expect(source.staleness('shop')).toBeGreaterThan(0);
  expect(source.answered()).toBe(true);

  fake.lie = () => undefined;
  fake.set('shop', [healthEntry({ port: 2 })]);
  await until('the set after it', () => now('shop')?.[0] === '10.0.0.1:2');
  expect(log.lines).toHaveLength(2);
  expect(log.lines[1]).toBe(`info Consul at ${fake.address} answers again`);
  expect(source.staleness('shop')).toBe(0);
});

test('an answer without an index is used, and the watch goes on', async () => {
  const fake = await openFake();
  fake.lie = () => ({ body: good, headers: { 'X-Consul-KnownLeader': 'true' } });
  const { sets, now } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the set', () => sets.length === 1);
  fake.lie = () => undefined;
  fake.set('shop', [healthEntry({ port: 2 })]);
  await until('the set after it', () => now('shop')?.[0] === '10.0.0.1:2');
});

test('Consul that is not there at boot is one line for all services, and one when it comes', async () => {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const { source, log, sets } = runSource(consulSettings(address), [follows('shop'), follows('blog')]);
  await until('the warning', () => log.lines.length > 0);
  // Time for many a try.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(log.lines).toEqual([`warn Consul at ${address} does not answer: connection refused; retrying`]);
  expect(source.answered()).toBe(false);
  expect(source.staleness('shop')).toBeUndefined();
  await openFake({ port });
  await until('both sets', () => sets.length === 2);
  expect(log.lines.slice(1)).toEqual([`info Consul at ${address} answers again`]);
  expect(source.answered()).toBe(true);
});

test('a connection that breaks while it waits is found out at once, and the age counts from then', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({})]);
  const { source, log } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the blocking question', () => fake.asked.length === 2);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(source.staleness('shop')).toBe(0);
  const closedAt = performance.now();
  await fake.close();
  await until('the warning', () => log.lines.length > 0);
  expect(log.lines[0]).toMatch(/does not answer: connection (closed|refused); retrying$/);
  expect(source.staleness('shop')).toBeLessThanOrEqual(performance.now() - closedAt);
});

test('the token is sent in a header and never written to the log, not even when Consul repeats it', async () => {
  const fake = await openFake();
  const token = 'b1gs3cr3t-0000';
  fake.lie = () => ({ status: 403, body: `ACL not found: ${token}\u001b[31m` });
  const { log } = runSource(consulSettings(fake.address, { token }), [follows('shop')]);
  await until('the warning', () => log.lines.length > 0);
  expect(fake.asked[0]?.token).toBe(token);
  expect(log.all.join('\n')).not.toContain(token);
  expect(log.lines[0]).toContain('ACL not found: [token] [31m (asked');
});

test('an answer without end is given up', async () => {
  const fake = await openFake();
  fake.lie = () => ({ body: `[${' '.repeat(33 * 2 ** 20)}]` });
  const { log } = runSource(consulSettings(fake.address), [follows('shop')]);
  // On a machine that stands still the time for an answer may be over first, which is said before it.
  await until('the warning', () => log.lines.some((line) => line.includes('sends an answer of more than 32 MiB')));
});

test('the end closes every connection at once, and nothing is pushed or asked after it', async () => {
  const fake = await openFake({ keepAliveMs: 120_000 });
  const queries = Array.from({ length: 20 }, (_, i) => follows(`s${i}`));
  const { sets, abort, source } = runSource(consulSettings(fake.address), queries);
  // Each asks twice, and once whether the token may read what is not there.
  await until('all watches', () => fake.asked.length === 60 && sets.length === 20);
  expect(fake.sockets.size).toBeGreaterThanOrEqual(20);
  abort();
  await until('no connection', () => fake.sockets.size === 0);
  source.follow([follows('other')]);
  fake.set('s1', [healthEntry({})]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(fake.asked).toHaveLength(60);
  expect(sets).toHaveLength(20);
});

test('Consul that takes a question and never answers does not hold up the end', async () => {
  const fake = await openFake();
  fake.lie = () => 'hang';
  const { abort } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the question', () => fake.asked.length === 1);
  abort();
  await until('no connection', () => fake.sockets.size === 0);
});
