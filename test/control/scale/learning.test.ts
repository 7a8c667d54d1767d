import { expect, test } from 'vitest';
import { decodeLearnt, encodeLearnt } from '../../../src/control/scale/learnt.ts';
import type { LearntStore } from '../../../src/control/scale/learnt-store.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { type ServiceChange, testRun, testScale, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

/** An app that manages fifty requests a second: eight at once, each 160 ms. */
const FIFTY = { workers: 8, serviceMs: 160 };
const above = (aboveMs: number | 'auto') => ({ ...testScale.latency, aboveMs });

/** Keeps it as files do, in memory, and with clocks that start at nothing. */
class Shelf implements LearntStore {
  readonly texts: Map<string, string>;
  clock: Clock | undefined;

  constructor(texts = new Map<string, string>()) {
    this.texts = texts;
  }

  get #moment() {
    return { now: this.clock?.now() ?? 0, wall: this.clock?.wall() ?? 0 };
  }

  has(service: string): boolean {
    return this.texts.has(service);
  }

  take(service: string) {
    const text = this.texts.get(service);
    const learnt = text === undefined ? undefined : decodeLearnt(text, this.#moment);
    return typeof learnt === 'string' ? undefined : learnt;
  }

  put(service: string, learnt: Parameters<LearntStore['put']>[1]): void {
    this.texts.set(service, encodeLearnt(learnt, this.#moment));
  }

  drop(service: string): void {
    this.texts.delete(service);
  }
}

/** A proxy on virtual time that has just been started, with what one before it had kept. */
async function proxy(shelf: Shelf, change: ServiceChange = {}): Promise<World> {
  const service = testService('slow', { ...change, scale: { latency: above(500), max: 10, ...change.scale } });
  const world = new World([service], { learnt: shelf });
  shelf.clock = world.clock;
  await world.start();
  Object.assign(world.runtime.behaviour, FIFTY);
  return world;
}

/** Ten requests a second, then far more than one replica can do. */
async function step(world: World): Promise<void> {
  await world.load('slow', 10, 20_000);
  await world.load('slow', 250, 20_000);
}

const firstSteps = (world: World) => world.messagesOf('scaled').map((text) => text.split(' because ')[0]);

test('after a restart the first step load is sized at once by what was learnt before', async () => {
  const shelf = new Shelf();
  const first = await proxy(shelf);
  await step(first);
  // Nothing was known: one replica to see whether it helps.
  expect(firstSteps(first)[0]).toBe('slow scaled 1→2');
  await first.load('slow', 250, 60_000);

  const second = await proxy(new Shelf(shelf.texts));
  await step(second);
  expect(firstSteps(second)[0]).toMatch(/^slow scaled 1→[5-8]$/);

  const third = await proxy(new Shelf(shelf.texts), { run: testRun(2) });
  await step(third);
  expect(firstSteps(third)[0]).toBe('slow scaled 1→2');
}, 120_000);

test('that no increase helped is known after a restart, until its time is over or there is another run', async () => {
  const shelf = new Shelf();
  await step(await proxy(shelf));
  const known = JSON.parse(shelf.texts.get('slow') ?? '');
  const kept = (untilMs: number) =>
    new Shelf(new Map([['slow', JSON.stringify({ ...known, helps: false, frozen: [untilMs, 1, 250, 1000] })]]));
  const second = await proxy(kept(600_000));
  await step(second);
  expect(firstSteps(second)).toEqual([]);
  expect((await second.status('slow')).heldBack?.guards).toContain('benefit');
  const third = await proxy(kept(1000));
  await step(third);
  expect(firstSteps(third)[0]).toBe('slow scaled 1→2');
  const fourth = await proxy(kept(600_000), { run: testRun(2) });
  await step(fourth);
  expect(firstSteps(fourth)[0]).toBe('slow scaled 1→2');
}, 120_000);

test('a wake after a restart goes by what replicas were known to carry', async () => {
  const shelf = new Shelf();
  const first = await proxy(shelf);
  await step(first);
  await first.load('slow', 250, 60_000);
  const second = await proxy(new Shelf(shelf.texts));
  await second.load('slow', 150, 1000);
  const [wake] = (await second.control.why('slow')).decisions;
  expect(wake?.action).toBe('wake');
  expect(wake?.inputs['capacityPerSecond']).toBeGreaterThan(30);
}, 120_000);

test('what was learnt of a service that leaves the configuration is dropped', async () => {
  const shelf = new Shelf();
  const world = await proxy(shelf);
  await step(world);
  expect(shelf.has('slow')).toBe(true);
  world.control.reconfigure(testSettings([]));
  await world.run(60_000);
  expect(shelf.has('slow')).toBe(false);
}, 120_000);

test('the threshold is learnt at low load, told everywhere, and the same after a restart', async () => {
  const shelf = new Shelf();
  const auto = { scale: { latency: above('auto') } };
  const first = await proxy(shelf, auto);
  expect((await first.status('slow')).threshold).toEqual({
    ...{ aboveMs: 1000, quantile: 0.95, source: 'first', lowLoadMs: null, missing: 100 },
  });
  await first.load('slow', 2, 120_000);
  const { threshold } = await first.status('slow');
  expect(threshold?.source).toBe('learnt');
  expect(threshold?.aboveMs).toBeGreaterThan(300);
  expect(threshold?.aboveMs).toBeLessThan(350);
  expect((await first.control.why('slow')).threshold).toEqual(threshold);
  await first.settle(first.control.collect());
  const seconds = first.metrics.get('pilotlight_latency_threshold_seconds', { service: 'slow' });
  expect(seconds * 1000).toBeCloseTo(threshold?.aboveMs ?? 0);

  // Also while it sleeps, before anything has come.
  const second = await proxy(new Shelf(shelf.texts), auto);
  expect((await second.status('slow')).threshold).toEqual(threshold);
  // Twice as much as at low load asks for a replica, and the decision tells both.
  await second.load('slow', 2, 10_000);
  await second.load('slow', 130, 10_000);
  const { decisions } = await second.control.why('slow');
  const scaled = decisions.find(({ action, kind }) => action === 'scale-up' && kind === 'latency');
  expect(scaled?.inputs).toMatchObject({ aboveMs: threshold?.aboveMs, lowLoadMs: threshold?.lowLoadMs });
}, 120_000);

test('load alone teaches no threshold, and what is served with a max of 1 neither', async () => {
  const busy = await proxy(new Shelf(), { scale: { latency: above('auto'), max: 1 } });
  await busy.load('slow', 5, 60_000);
  expect((await busy.status('slow')).threshold).toMatchObject({ aboveMs: 1000, source: 'first' });
  const loaded = await proxy(new Shelf(), { scale: { latency: above('auto'), dryRun: true } });
  await loaded.load('slow', 100, 120_000);
  expect((await loaded.status('slow')).threshold).toMatchObject({ aboveMs: 1000, source: 'first' });
}, 120_000);

test('what an edge finds idle is no low load while another edge sends as much there', async () => {
  const scale = { latency: above('auto'), dryRun: true };
  const world = await proxy(new Shelf(), { scale });
  Object.assign(world.runtime.behaviour, { workers: 1, serviceMs: 100 });
  const other = world.addEdge('edge-2');
  const loads = (perSecond: number) =>
    [world.edge, other].map((edge) => world.clock.every(1000 / perSecond, () => edge.request('slow')));
  const busy = loads(4);
  await world.run(120_000);
  expect((await world.status('slow')).threshold?.source).toBe('first');
  for (const timer of busy) timer.cancel();
  loads(1);
  await world.run(120_000);
  expect((await world.status('slow')).threshold?.aboveMs).toBeGreaterThan(190);
}, 120_000);

test('another run keeps the threshold until it has shown its own', async () => {
  const world = await proxy(new Shelf(), { scale: { latency: above('auto') } });
  await world.load('slow', 2, 120_000);
  const before = (await world.status('slow')).threshold;
  const run = testRun(2);
  world.control.reconfigure(testSettings([testService('slow', { run, scale: { latency: above('auto'), max: 10 } })]));
  await world.load('slow', 2, 5000);
  expect((await world.status('slow')).threshold).toEqual(before);
  for (const app of world.runtime.apps) app.serviceMs = 60;
  await world.load('slow', 2, 200_000);
  expect((await world.status('slow')).threshold?.aboveMs).toBeLessThan(150);
}, 120_000);

test('a service that only gets routed to has none', async () => {
  const world = await proxy(new Shelf(), { run: undefined, endpoints: { static: [] } });
  expect((await world.status('slow')).threshold).toBeNull();
});
