import { describe, expect } from 'vitest';
import { type Place, runningContainers } from '../support/app.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import type { MimicLog } from '../support/mimic-log.ts';
import { byStatus, latencyOf, latencyQuantile, loadFor, PacedLoad } from '../support/paced-load.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { burst, epochNow, pause } from '../support/raw-client.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const RUNTIMES: Place[] = ['process', 'docker-container'];

/** An app that answers 50 requests a second: ten at a time, a fifth of a second each. */
const FIFTY_PER_SECOND = { SLOTS: 10, LATENCY_MS: 200 };
/** The guards' constants, shrunk in proportion so that a scenario lasts seconds: a step up waits a whole window. */
const QUICK = { ticks: 3, stepUpEvery: '5s', warmUp: '1s', minSamples: 20 };

/** Replicas alive at once at most, by what they wrote down themselves. */
function mostAlive(log: MimicLog): number {
  let [alive, most] = [0, 0];
  for (const { event } of log.events()) {
    if (event === 'boot') alive++;
    if (event === 'exit') alive--;
    most = Math.max(most, alive);
  }
  return most;
}

/** Waits until the proxy knows so many replicas to be ready. */
async function untilReady(proxy: RunningProxy, service: string, count: number): Promise<void> {
  const known = async (): Promise<number> =>
    (await proxy.service(service)).replicas.filter(({ state }) => state === 'ready').length;
  await until(`${count} are known to be ready`, async () => (await known()) === count);
}

describe.concurrent('replica scaling', () => {
  scenario(
    'latency under overload adds replicas until it is good again, and no further',
    async (stage) => {
      // Long times: what a busy machine adds to each is little beside them. Fifty a second each.
      const saturates = { SLOTS: 20, LATENCY_MS: 400 };
      const above = 1_600;
      const scale = { max: 8, idle: 'never', latency: { above: `${above}ms`, window: '5s' }, guards: QUICK };
      const app = await stage.app('app', { mimic: saturates, service: { scale } });
      const proxy = await stage.proxy({ apps: [app] });
      const target = { port: proxy.port, host: app.host };
      await loadFor(2, { ...target, rate: 10 });
      const load = PacedLoad.start({ ...target, rate: 130 });
      await until('three replicas are ready', () => app.log.events('ready').length >= 3, 60_000);
      const ready = epochNow();
      await pause(35_000);
      const samples = await load.stop();
      expect(byStatus(samples)).toEqual({ 200: samples.length });
      expect(app.log.boots().length).toBeGreaterThanOrEqual(2);
      // Four can do it; for what waited until they started the simulation of this load has a fifth in one run of eighteen.
      // A sixth, where the machine stands still for seconds: its clients have to have seen that.
      for (const { at, data } of proxy.events.filter(({ type, data }) => type === 'scaled' && Number(data['to']) > 5)) {
        const before = samples.filter(({ dueAt }) => dueAt > Date.parse(at) - 10_000 && dueAt < Date.parse(at));
        expect(latencyQuantile(before, 0.95), `${data['from']}→${data['to']}`).toBeGreaterThan(above);
      }
      expect(app.log.boots().length).toBeLessThanOrEqual(6);
      const later = samples.filter(({ dueAt }) => dueAt > ready + 30_000);
      expect(later.length).toBeGreaterThan(300);
      expect(latencyQuantile(later, 0.95)).toBeLessThanOrEqual(above);
      const decision = (await proxy.service(app.name)).lastDecision;
      expect(decision?.reason).toBeTruthy();
      expect(await proxy.metric('pilotlight_scale_decisions_total', { direction: 'up' })).toBeGreaterThan(0);
    },
    { timeout: 600_000 },
  );

  scenario('a spike of three seconds adds one replica at most, which goes again', async (stage) => {
    const guards = { ...QUICK, stepUpEvery: '15s', downWindow: '4s', stepDownEvery: '1s' };
    const scale = { min: 1, max: 4, idle: 'never', latency: { above: '800ms', window: '3s' }, guards };
    const app = await stage.app('app', { mimic: FIFTY_PER_SECOND, service: { scale } });
    const proxy = await stage.proxy({ apps: [app] });
    const base = PacedLoad.start({ port: proxy.port, host: app.host, rate: 10 });
    await pause(3_000);
    const spike = await loadFor(3, { port: proxy.port, host: app.host, rate: 100 });
    expect(byStatus(spike)).toEqual({ 200: spike.length });
    const alive = async (): Promise<number> =>
      (await proxy.service(app.name)).replicas.filter(({ state }) => state !== 'stopped' && state !== 'created').length;
    await pause(5_000);
    await until('one replica is left', async () => (await alive()) === 1, 60_000, 200);
    const samples = await base.stop();
    expect(byStatus(samples)).toEqual({ 200: samples.length });
    expect(app.log.boots().length).toBeLessThanOrEqual(2);
  });

  scenario('at max the excess waits, is refused when the queue is full and ends at its deadline', async (stage) => {
    // Four replicas of two at a time and half a second each: 16 a second, where 40 come. All are there when they do: how
    // long it takes to start them is the machine's.
    const scale = { min: 4, max: 4, concurrency: 2, idle: 'never', guards: QUICK };
    const hold = { max: 40, timeout: '2s' };
    const app = await stage.app('app', { mimic: { LATENCY_MS: 500, LIMIT: 2 }, service: { scale, hold } });
    const proxy = await stage.proxy({ apps: [app] });
    await untilReady(proxy, app.name, 4);
    const samples = await loadFor(12, { port: proxy.port, host: app.host, rate: 40 });
    const counts = byStatus(samples);
    expect(Object.keys(counts).sort()).toEqual(['200', '503', '504']);
    expect(counts[200]).toBeGreaterThan(100);
    const late = samples.filter(({ status }) => status === 504);
    const waits = late.map(latencyOf).sort((a, b) => a - b);
    expect(waits[0]).toBeGreaterThanOrEqual(1_990);
    expect(waits[Math.floor(waits.length / 2)]).toBeLessThanOrEqual(10_000);
    expect(app.log.boots()).toHaveLength(4);
    expect(app.log.events('term')).toEqual([]);
    expect(app.log.mostInFlight()).toBeLessThanOrEqual(2);
  });

  for (const place of RUNTIMES) {
    scenario(`${place}: a restarted proxy adopts its four busy replicas and lets them live`, async (stage) => {
      // A window that is not over before the replicas are looked at: none is stopped in it.
      const guards = { downWindow: '20s', stepDownEvery: '1s' };
      const scale = { initial: 4, max: 4, idle: '20s', latency: { window: '6s' }, guards };
      const app = await stage.app('app', { place, mimic: { LATENCY_MS: 20 }, service: { scale } });
      const first = await stage.proxy({ apps: [app] });
      await first.wake(app.name);
      await until('all are ready', () => app.log.events('ready').length === 4, 60_000);
      const before = PacedLoad.start({ port: first.port, host: app.host, rate: 40 });
      await pause(1_000);
      await first.crash();
      const second = await stage.proxy({ apps: [app], successorOf: first });
      await before.stop();
      const samples = await loadFor(4, { port: second.port, host: app.host, rate: 40 });
      expect(byStatus(samples)).toEqual({ 200: samples.length });
      const status = await second.service(app.name);
      expect(status.replicas.filter(({ state }) => state === 'ready')).toHaveLength(4);
      expect(new Set(samples.map(({ boot }) => boot)).size).toBe(4);
      expect(app.log.events('term')).toEqual([]);
      expect(app.log.boots()).toHaveLength(4);
    });
  }

  for (const place of RUNTIMES) {
    scenario(`${place}: a replica that is killed under load costs no request and is replaced`, async (stage) => {
      // Where a busy machine stands still, much is in flight on the one that dies: the budget is not what this is about.
      const service = { scale: { min: 2, max: 3, idle: 'never' }, retries: { budget: '100%' } };
      const app = await stage.app('app', { place, mimic: { LATENCY_MS: 10 }, service });
      const proxy = await stage.proxy({ apps: [app] });
      await untilReady(proxy, app.name, 2);
      const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 100 });
      await pause(2_000);
      if (place === 'process') killIfAlive(app.log.events('boot')[0]?.pid ?? 0, 'SIGKILL');
      else await stage.docker('POST', `/containers/${(await runningContainers(stage.workspace))[0]}/kill`);
      await until('a third is ready', () => app.log.events('ready').length === 3, 60_000);
      await pause(1_000);
      const samples = await load.stop();
      for (const id of app.log.repeated()) stage.mayRepeat(id);
      expect(byStatus(samples)).toEqual({ 200: samples.length });
      expect(app.log.boots()).toHaveLength(3);
    });
  }

  scenario('where a burst needs three replicas, three are started at once', async (stage) => {
    const scale = { max: 8, concurrency: 10 };
    const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' }, service: { scale } });
    const proxy = await stage.proxy({ apps: [app] });
    const asking = burst(proxy.port, 24, { host: app.host, path: '/?delay=300' });
    // None gets ready before all of them have begun.
    await until('three have begun', () => app.log.boots().length === 3);
    app.open('start');
    const answers = await asking;
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(app.log.boots()).toHaveLength(3);
    expect(mostAlive(app.log)).toBe(3);
    expect(app.log.mostInFlight()).toBeLessThanOrEqual(10);
  });
});
