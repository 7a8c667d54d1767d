import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from 'vitest';
import { ConsulClient } from '../../src/discovery/consul/client.ts';
import { consulConnection } from '../../src/discovery/consul/connection.ts';
import { silentLogger } from '../../src/model/observe.ts';
import { systemClock } from '../../src/util/clock.ts';
import { consulSettings, runSource } from '../discovery/consul/harness.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { registerEntry, removeEntry } from '../support/consul-catalog.ts';
import { until } from '../support/until.ts';

// Elections of two servers, on a busy machine.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** The agent that is asked, in `here`, and the one of another datacenter. */
let [here, there]: ConsulAgent[] = [];

beforeAll(async () => {
  [here, there] = await Promise.all(
    ['here', 'there'].map((datacenter) => ConsulAgent.start(inject('consulBinary'), { datacenter })),
  );
  await here?.joinDatacenter(there as ConsulAgent);
});
afterAll(async () => {
  await Promise.all([here?.stop(), there?.stop()]);
});

const NAMES = Array.from({ length: 60 }, (_, place) => `shop-${place}`);

/** Follows some services of which the instances in `there` are to serve, and those in `here` where there are none. */
async function follow(names: readonly string[]) {
  const [asked, other] = [here as ConsulAgent, there as ConsulAgent];
  const put = ({ address }: ConsulAgent, name: string, port: number) =>
    registerEntry(address, { id: `${name}-1`, name, port });
  for (const name of names) await Promise.all([put(asked, name, 1), put(other, name, 2)]);
  const datacenters = ['there', 'here'];
  const queries = names.map((service) => ({ service, sought: { service, datacenters } }));
  const running = runSource(consulSettings(asked.address), queries);
  await until('the first answers', () => running.source.answered());
  return { ...running, put: (name: string, port: number) => put(other, name, port) };
}

test.each([
  ['a service', NAMES.slice(0, 1)],
  ['a fleet', NAMES],
])(
  '%s goes over to the next datacenter at once, and back when the first could serve for ten seconds',
  async (_, names) => {
    const { now, put } = await follow(names);
    const [name] = names as [string];
    await until('the instances of the other datacenter', () =>
      names.every((each) => now(each)?.join() === '127.0.0.1:2'),
    );
    await removeEntry((there as ConsulAgent).address, `${name}-1`);
    await until('the own datacenter', () => now(name)?.join() === '127.0.0.1:1');
    const from = performance.now();
    await put(name, 3);
    await until('the other one again', () => now(name)?.join() === '127.0.0.1:3');
    expect(performance.now() - from).toBeGreaterThanOrEqual(10_000);
  },
);

test('a datacenter that falls silent, or whose servers are gone, has the next one stand by, and no agent left', async () => {
  const { now, sets, log, source } = await follow(NAMES.slice(0, 1));
  const [name] = NAMES as [string];
  await until('the instance of the other datacenter', () => now(name)?.join() === '127.0.0.1:2');
  const { address } = here as ConsulAgent;
  // One agent twice: what is left for the other shows.
  const asking = new ConsulClient(
    consulConnection(consulSettings([address, `${address}/`])),
    systemClock,
    silentLogger,
  );
  onTestFinished(() => asking.close());
  await there?.freeze();
  const question = { path: `/v1/health/service/${name}`, parameters: ['dc=there'], timeoutMs: 3000 };
  const query = { ...question, index: 0n, waitMs: 0, stale: true };
  await expect(asking.ask(query, new AbortController().signal)).rejects.toMatchObject({
    message: 'has no answer from datacenter there in time',
  });
  expect(asking.contact.agents.some(({ isLeft }) => isLeft)).toBe(false);
  await there?.stop();
  await until('the own datacenter stands by', () => now(name)?.length === 2);
  expect(sets.at(-1)?.endpoints.map(({ port, backup }) => [port, backup === true])).toEqual([
    [2, false],
    [1, true],
  ]);
  expect(log.lines.filter((line) => line.includes('service shop-0 in there')).length).toBeGreaterThan(0);
  expect(source.contact?.().agents).toEqual([{ address, isAsked: true, isLeft: false }]);
});
