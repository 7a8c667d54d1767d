import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { consulSettings, follows, runSource } from '../discovery/consul/harness.ts';
import { passingEntries, registerEntry, removeEntry } from '../support/consul-catalog.ts';
import { until } from '../support/until.ts';

// A busy machine may take many seconds for what an engine does in one.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const consul = inject('consulAddress');

async function agent(path: string, body?: object): Promise<void> {
  const init = { method: 'PUT', ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await fetch(`${consul}/v1/agent/${path}`, init);
  if (!answer.ok) throw new Error(`Consul answers ${answer.status}: ${await answer.text()}`);
}

async function put(entry: Parameters<typeof registerEntry>[1]): Promise<void> {
  await registerEntry(consul, entry);
  onTestFinished(() => removeEntry(consul, entry.id).catch(() => undefined));
}

test('an instance that is registered is pushed, and one that is taken out is gone after the doubt', async () => {
  const { sets, now } = runSource(consulSettings(consul), [follows('source-a')]);
  await until('the first, empty set', () => sets.length === 1);
  expect(sets[0]?.endpoints).toEqual([]);
  await put({ id: 'source-a-1', name: 'source-a', port: 4001 });
  await until('the instance', () => now('source-a')?.[0] === '127.0.0.1:4001');
  await put({ id: 'source-a-2', name: 'source-a', port: 4002 });
  await until('the second', () => now('source-a')?.length === 2);
  await removeEntry(consul, 'source-a-1');
  await until('one fewer', () => now('source-a')?.[0] === '127.0.0.1:4002');
  const emptiedAt = performance.now();
  await removeEntry(consul, 'source-a-2');
  await until('none', () => now('source-a')?.length === 0);
  expect(performance.now() - emptiedAt).toBeGreaterThanOrEqual(2000);
  expect(performance.now() - emptiedAt).toBeLessThan(10_000);
});

test('checks and maintenance take an instance out and put it back', async () => {
  const check = { CheckID: 'source-b-ttl', TTL: '10m', Status: 'passing' };
  await agent('service/register', { ID: 'source-b', Name: 'source-b', Address: '10.0.0.9', Port: 1, Check: check });
  onTestFinished(() => removeEntry(consul, 'source-b'));
  const { now } = runSource(consulSettings(consul), [follows('source-b')]);
  const listed = () => now('source-b')?.length;
  await until('the instance', () => listed() === 1);
  await agent('check/fail/source-b-ttl');
  await until('critical', () => listed() === 0);
  await agent('check/warn/source-b-ttl');
  await until('warning', () => listed() === 1);
  await agent('service/maintenance/source-b?enable=true');
  await until('maintenance', () => listed() === 0);
  await agent('service/maintenance/source-b?enable=false');
  await until('back', () => listed() === 1);
});

test('a filter, a named port and nearness are as a real agent understands them', async () => {
  const Name = 'source-e';
  const register = (id: string, Meta: Record<string, string>) =>
    agent('service/register', { ID: id, Name, Address: '10.0.0.9', Port: 1, Meta });
  for (const id of ['source-e-1', 'source-e-2']) onTestFinished(() => removeEntry(consul, id));
  await register('source-e-1', { version: '1', admin_port: '11' });
  await register('source-e-2', { version: '2', admin_port: '12' });
  // On a node of which the agent knows nothing it is far away.
  const far = { Node: 'source-e-far', Address: '10.0.0.7' };
  const service = { ID: 'source-e-3', Service: Name, Port: 3, Meta: { version: '2', admin_port: '13' } };
  const call = async (path: string, body: object) => {
    const answer = await fetch(`${consul}/v1/catalog/${path}`, { method: 'PUT', body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
  };
  await call('register', { ...far, Service: service });
  onTestFinished(() => call('deregister', far));
  await until('all are listed', async () => (await passingEntries(consul, Name)).length === 3);
  const choice = { filter: 'Service.Meta.version == "2"', near: '_agent', datacenters: ['dc1'] };
  const { sets } = runSource(consulSettings(consul, choice), [
    { service: 'e', sought: { service: Name, port: 'admin' } },
  ]);
  await until('the set', () => sets.length === 1);
  expect(sets[0]?.endpoints.map(({ host, port, backup }) => [host, port, backup])).toEqual([
    ['10.0.0.7', 13, true],
    ['10.0.0.9', 12, false],
  ]);
  const wrong = runSource(consulSettings(consul, { filter: 'Service.Meta.version ==' }), [follows('e', Name)]);
  await until('the refusal', () => wrong.log.lines.length > 0);
  expect(wrong.log.lines[0]).toMatch(/refuses the filter: .+ \(asked for service source-e\); retrying$/);
  const nowhere = runSource(consulSettings(consul, { datacenters: ['dc9', 'dc1'] }), [follows('e', Name)]);
  await until('the set of the one that is there', () => nowhere.now('e')?.length === 2);
});

test('tags, weights and addresses are read as a real agent writes them', async () => {
  const weights = { Passing: 7, Warning: 1 };
  const entry = { Name: 'source-c', Tags: ['v2'], Weights: weights };
  await agent('service/register', { ...entry, ID: 'source-c-1', Port: 11, Address: '10.0.0.8' });
  await agent('service/register', { ...entry, ID: 'source-c-2', Port: 12 });
  await agent('service/register', { ...entry, ID: 'source-c-3', Port: 13, Tags: ['v1'] });
  await agent('service/register', { ...entry, ID: 'source-c-4', Port: 0, Address: '10.0.0.8' });
  for (const n of [1, 2, 3, 4]) onTestFinished(() => removeEntry(consul, `source-c-${n}`));
  await until('all are listed', async () => (await passingEntries(consul, 'source-c')).length === 4);
  const { sets, log } = runSource(consulSettings(consul), [follows('c', 'source-c', ['v2'])]);
  await until('the set', () => sets.length === 1);
  expect(sets[0]?.endpoints).toEqual([
    { host: '10.0.0.8', port: 11, weight: 7 },
    { host: '127.0.0.1', port: 12, weight: 7 },
  ]);
  expect(log.lines).toEqual([
    'warn Consul service source-c: "source-c-4" on node "pilotlight-test" is skipped: its port is 0',
  ]);
});

test('of several tags all have to be there, in a watch as in a fleet, and a tag that goes takes its instance out', async () => {
  const entry = { Name: 'source-tags', Address: '10.0.0.8' };
  const register = (n: number, ...tags: string[]) =>
    agent('service/register', { ...entry, ID: `source-tags-${n}`, Port: n, Tags: tags });
  await register(1, 'live', 'public');
  await register(2, 'live');
  await register(3, 'public', 'other', 'live');
  for (const n of [1, 2, 3]) onTestFinished(() => removeEntry(consul, `source-tags-${n}`));
  await until('all are listed', async () => (await passingEntries(consul, 'source-tags')).length === 3);
  const query = follows('tagged', 'source-tags', ['live', 'public']);
  const others = Array.from({ length: 120 }, (_, i) => follows(`source-none-${i}`));
  const one = runSource(consulSettings(consul), [query]);
  const fleet = runSource(consulSettings(consul), [query, ...others]);
  for (const { now } of [one, fleet]) await until('both', () => now('tagged')?.join() === '10.0.0.8:1,10.0.0.8:3');
  await register(3, 'public', 'other');
  for (const { now } of [one, fleet]) await until('one', () => now('tagged')?.join() === '10.0.0.8:1');
});

test('a fleet of services is followed through checks and catalog', async () => {
  const names = Array.from({ length: 120 }, (_, i) => `source-fleet-${i}`);
  await put({ id: 'source-fleet-7', name: 'source-fleet-7', port: 7001 });
  await until('it is listed', async () => (await passingEntries(consul, 'source-fleet-7')).length === 1);
  const { source, now } = runSource(
    consulSettings(consul),
    names.map((name) => follows(name)),
  );
  await until('all answers', () => source.answered());
  expect(now('source-fleet-7')).toEqual(['127.0.0.1:7001']);

  const check = { CheckID: 'fleet-ttl', TTL: '10m', Status: 'passing' };
  await agent('service/register', { ID: 'source-fleet-3', Name: 'source-fleet-3', Port: 3001, Check: check });
  onTestFinished(() => removeEntry(consul, 'source-fleet-3'));
  await until('an instance with a check', () => now('source-fleet-3')?.length === 1);
  await agent('check/fail/fleet-ttl');
  await until('its check', () => now('source-fleet-3')?.length === 0);
  await put({ id: 'source-fleet-5', name: 'source-fleet-5', port: 5001 });
  await until('an instance without', () => now('source-fleet-5')?.length === 1);
});
