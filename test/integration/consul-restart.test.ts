import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { consulSettings, follows, runSource } from '../discovery/consul/harness.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { registerEntry } from '../support/consul-catalog.ts';
import { freePort } from '../support/free-port.ts';
import { Relay } from '../support/relay.ts';
import { until } from '../support/until.ts';

// A busy machine may take many seconds for what an engine does in one.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

test('Consul that restarts with its index back at the start: sets kept, no busy loop, then right again', async () => {
  const agent = await ConsulAgent.start(inject('consulBinary'));
  onTestFinished(() => agent.stop());
  const port = await freePort();
  const relay = await Relay.open({ port }, { port: Number(new URL(agent.address).port) });
  onTestFinished(() => relay.cut());
  for (let i = 0; i < 10; i++) await registerEntry(agent.address, { id: `kept-${i}`, name: 'kept', port: 4000 + i });
  const { source, sets, now, log } = runSource(consulSettings(`http://127.0.0.1:${port}`), [follows('kept')]);
  await until('the set', () => now('kept')?.length === 10);
  const pushed = sets.length;

  const [from, before] = [performance.now(), relay.requests.length];
  await relay.cut();
  await until('the age', () => (source.staleness('kept') ?? 0) > 0);
  await agent.restart();
  expect(now('kept')).toHaveLength(10);
  await registerEntry(agent.address, { id: 'kept-0', name: 'kept', port: 5000 });
  await relay.restore();
  await until('the new set', () => now('kept')?.[0] === '127.0.0.1:5000');
  expect(sets).toHaveLength(pushed + 1);
  await registerEntry(agent.address, { id: 'kept-0', name: 'kept', port: 5001 });
  await until('the next change', () => now('kept')?.[0] === '127.0.0.1:5001');
  expect(source.staleness('kept')).toBe(0);

  const perSecond = (relay.requests.length - before) / ((performance.now() - from) / 1000);
  expect(perSecond).toBeLessThan(10);
  expect(log.lines[0]).toMatch(/^warn Consul at .* does not answer: connection (closed|refused); retrying$/);
  expect(log.lines.at(-1)).toBe(`info Consul at http://127.0.0.1:${port} answers again`);
});

test('Consul that comes back empty is believed only after the doubt', async () => {
  const agent = await ConsulAgent.start(inject('consulBinary'));
  onTestFinished(() => agent.stop());
  await registerEntry(agent.address, { id: 'lost-1', name: 'lost', port: 4001 });
  const { sets, now } = runSource(consulSettings(agent.address), [follows('lost')]);
  await until('the set', () => now('lost')?.length === 1);
  await agent.restart();
  await until('the belief', () => now('lost')?.length === 0);
  expect(sets).toHaveLength(2);
});
