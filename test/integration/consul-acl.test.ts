import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { consulSettings, follows, runSource } from '../discovery/consul/harness.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { until } from '../support/until.ts';

// A busy machine may take many seconds for what an engine does in one.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const MASTER = 'b1a5e000-0000-4000-8000-000000000001';
const SERVICES = 'service_prefix "" { policy = "read" }';
const NODES = 'node_prefix "" { policy = "read" }';

let agent: ConsulAgent;
beforeAll(async () => {
  agent = await ConsulAgent.start(inject('consulBinary'), { master: MASTER });
});
afterAll(() => agent.stop());

async function call<T = { ID: string; SecretID: string; AccessorID: string }>(
  path: string,
  body?: object,
  method = 'PUT',
): Promise<T> {
  const init = { method, headers: { 'X-Consul-Token': MASTER } };
  const answer = await fetch(`${agent.address}/v1/${path}`, body ? { ...init, body: JSON.stringify(body) } : init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Consul answers ${answer.status}: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** Two instances of a service, and a token with these rules that can be changed. */
async function world(name: string, ...rules: string[]) {
  const register = (port: number, ...Tags: string[]) =>
    call('agent/service/register', { ID: `${name}-${port}`, Name: name, Address: '10.0.0.1', Port: port, Tags });
  for (const port of [1, 2]) await register(port);
  const Name = `policy-${name}`;
  const policy = await call('acl/policy', { Name, Rules: rules.join('\n') });
  const token = await call('acl/token', { Policies: [{ Name }] });
  const { source, log, now } = runSource(consulSettings(agent.address, { token: token.SecretID }), [follows(name)]);
  return {
    source,
    now: () => now(name),
    denial: () => source.denial?.(name)?.message,
    says: (text: string) => until(text, () => log.lines.some((line) => line.includes(text))),
    may: (...granted: string[]) => call(`acl/policy/${policy.ID}`, { Name, Rules: granted.join('\n') }),
    /** A question of the source that waits keeps the rights that the token had: a change has it answered. */
    move: () => register(2, 'changed'),
    remove: (port: number) => call(`agent/service/deregister/${name}-${port}`),
    dropToken: () => call(`acl/token/${token.AccessorID}`, undefined, 'DELETE'),
  };
}

const both = ['10.0.0.1:1', '10.0.0.1:2'];

test.each([
  ['the service', [NODES], 'may not read service'],
  ['the node that it is on', [SERVICES], 'on node pilotlight-test'],
])(
  'instances stay when the token may not read %s any more, and go when they really went',
  async (what, left, words) => {
    const name = what === 'the service' ? 'acl-service' : 'acl-node';
    const { now, denial, says, may, move, remove } = await world(name, SERVICES, NODES);
    await until('both', () => now()?.length === 2);
    await may(...(left as string[]));
    await move();
    await says(`the token may not read service ${name}`);
    expect(denial()).toContain(words);
    expect(now()).toEqual(both);
    await may(SERVICES, NODES);
    await says(`the token may read service ${name} again`);
    expect(now()).toEqual(both);
    await remove(2);
    await until('one fewer', () => now()?.length === 1);
    await remove(1);
    await until('none', () => now()?.length === 0);
    expect(denial()).toBeUndefined();
  },
);

test('instances stay when the token is deleted', async () => {
  const { source, now, says, move, dropToken } = await world('acl-token', SERVICES, NODES);
  await until('both', () => now()?.length === 2);
  await dropToken();
  await move();
  await says('answers with status 403: ACL not found');
  expect(now()?.length).toBeGreaterThan(0);
  expect(source.staleness('acl-token')).toBeGreaterThanOrEqual(0);
});

test('what the token may not read from the beginning is not known, until it may', async () => {
  const { source, now, says, may } = await world('acl-boot', NODES);
  await says('the token may not read service acl-boot: nothing is known of it');
  expect(source.answered()).toBe(false);
  expect(now()).toBeUndefined();
  await may(SERVICES, NODES);
  await until('both', () => now()?.length === 2);
  expect(source.answered()).toBe(true);
});

test('a service that is not there is known to have no instance', async () => {
  const { source, now, denial, remove } = await world('acl-none', SERVICES, NODES);
  await until('both', () => now()?.length === 2);
  for (const port of [1, 2]) await remove(port);
  await until('none', () => now()?.length === 0);
  expect(denial()).toBeUndefined();
  expect(source.answered()).toBe(true);
});

test('who asks for what instances say of themselves is told that they may not be read, not that there are none', async () => {
  const service = await world('telling', SERVICES, NODES);
  const { signal } = new AbortController();
  const instances = () => service.source.catalog.instances('telling', signal);
  expect(await instances()).toHaveLength(2);
  await service.may(NODES);
  await until('the token may not read it', async () => (await instances().catch(() => [])).length === 0);
  await expect(instances()).rejects.toMatchObject({ code: 'DISCOVERY_DENIED' });
});
