import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { memoryKeptByHand, openKeptByHand } from '../../../src/control/service/kept-by-hand.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { FakeSource } from '../support/fake-discovery.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

function keptFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-by-hand-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'by-hand.json');
}

const routed = testService('routed', { run: undefined, endpoints: { consul: { service: 'found', tag: undefined } } });
const scaled = testService('a', { scale: { max: 5, idleMs: 'never' } });

test('what is set of endpoints is there for the control plane that comes next, and what is taken back is not', async () => {
  const file = keptFile();
  const lead = async () => {
    const source = new FakeSource();
    const world = await World.started([routed], { sources: [source], byHand: openKeptByHand(file, silentLogger) });
    source.say('routed', 7001, 7002);
    await world.run(100);
    const states = () => world.edge.service('routed').state.endpoints.map(({ state, weight }) => `${state} ${weight}`);
    const change = (address: string, what: object) =>
      world.settle(world.control.changeEndpoint('routed', address, what));
    return { states, change };
  };
  const first = await lead();
  await first.change('127.0.0.1:7001', { drain: true });
  await first.change('127.0.0.1:7002', { weight: 5 });
  const second = await lead();
  expect(second.states()).toEqual(['cordoned 1', 'ready 5']);
  await second.change('127.0.0.1:7001', { drain: false });
  await second.change('127.0.0.1:7002', { weight: null });
  expect((await lead()).states()).toEqual(['ready 1', 'ready 1']);
});

test('a count by hand holds under the next control plane, though only some of it ran by then', async () => {
  const byHand = memoryKeptByHand();
  const first = await World.started([scaled], { byHand });
  await first.settle(first.control.scale('a', 3, false));
  expect(byHand.countOf('a')).toMatchObject({ replicas: 3 });
  const second = await World.started([scaled], { byHand });
  await second.run(3000);
  expect(second.edge.ready('a')).toHaveLength(3);
  expect(second.errors).toEqual([]);
});

test('a count by hand is over with the time in which the scaler leaves it alone, and with sleep', async () => {
  const byHand = memoryKeptByHand();
  const world = await World.started([scaled], { byHand });
  await world.settle(world.control.scale('a', 2, false));
  await world.run(scaled.scale.guards.cooldownMs + 2000);
  expect(byHand.countOf('a')).toBeUndefined();
  await world.settle(world.control.scale('a', 3, false));
  await world.settle(world.control.scale('a', 0, false));
  expect(byHand.countOf('a')).toBeUndefined();
});

test('a dry run leaves no count', async () => {
  const byHand = memoryKeptByHand();
  const world = await World.started([scaled], { byHand });
  await world.settle(world.control.scale('a', 2, true));
  expect(byHand.countOf('a')).toBeUndefined();
});

test('the file goes before what a process handed over, tells when it is written, and is left alone once it is let go', () => {
  const file = keptFile();
  const told: string[] = [];
  const drained = { service: 'a', address: '10.0.0.1:80', drain: true, weight: null };
  const open = () => openKeptByHand(file, silentLogger, [drained], () => told.push('kept'));
  const kept = open();
  expect(kept.endpoints).toEqual([drained]);
  kept.putEndpoints([]);
  expect(told).toEqual(['kept']);
  expect(open().endpoints).toEqual([]);
  kept.release();
  kept.putCount('a', { replicas: 2, until: 1 });
  expect(readFileSync(file, 'utf8')).toBe('{"endpoints":[],"counts":{}}');
  kept.resume();
  kept.putCount('a', { replicas: 3, until: 1 });
  expect(open().countOf('a')).toEqual({ replicas: 3, until: 1 });
});

test('a file that makes no sense is told of, and nothing is set by hand', () => {
  const file = keptFile();
  writeFileSync(file, '{"endpoints":');
  const said: string[] = [];
  const kept = openKeptByHand(file, {
    ...silentLogger,
    error: (_fields: object, line: string) => void said.push(line),
  });
  expect(kept.endpoints).toEqual([]);
  expect(said).toEqual(['what was set by hand earlier is unreadable']);
});
