import { describe, expect } from 'vitest';
import type { App, Place } from '../support/app.ts';
import { byStatus, PacedLoad } from '../support/paced-load.ts';
import { pause } from '../support/raw-client.ts';
import { readyReplicas } from '../support/scaling.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const RUNTIMES: Place[] = ['process', 'docker-container'];
/** High enough that a busy machine is no reason for one more. */
const SCALE = { min: 1, max: 4, idle: 'never', latency: { above: '30s' } };
const HEALTH = { path: '/health', interval: '1s', timeout: '10s' };

/** A version that is well, under load, and then another one. */
async function deploy(stage: Stage, place: Place, mimic: Record<string, number>) {
  const app = await stage.app('app', { place, mimic: { LATENCY_MS: 20 }, service: { scale: SCALE } });
  const proxy = await stage.proxy({ apps: [app] });
  await until('it is ready', async () => (await readyReplicas(proxy, app.name)) === 1, 60_000);
  const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 20 });
  const next: App = await stage.app('app', { place, mimic: { LATENCY_MS: 20, ...mimic }, service: { scale: SCALE } });
  await proxy.reload(stage.config({ apps: [next] }));
  return { app, proxy, load };
}

describe.concurrent('replicas that fail', () => {
  scenario('a version that exits before it is ready costs no request and few starts', async (stage) => {
    const { app, proxy, load } = await deploy(stage, 'process', { LISTEN_MS: 60_000, EXIT_CODE: 3, EXIT_MS: 100 });
    await proxy.untilTold('start-failed', 3);
    const samples = await load.stop();
    expect(byStatus(samples)).toEqual({ 200: samples.length });
    expect(new Set(samples.map(({ boot }) => boot)).size).toBe(1);
    // With pauses of 1, 2, 4 s between them: no more than these, whatever else the machine does.
    const boots = app.log.events('boot').slice(1);
    const gaps = boots.slice(1).map(({ at }, index) => at - (boots[index]?.at ?? 0));
    for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThan(900 * 2 ** index);
  });

  for (const place of RUNTIMES) {
    scenario(`${place}: a version that dies 3 s after it was ready gives way to the one before`, async (stage) => {
      const { app, proxy, load } = await deploy(stage, place, { CRASH_MS: 3000 });
      const revoked = await proxy.untilTold('revoked', 2);
      expect(revoked.message).toContain('after it was ready');
      await pause(1_000);
      const samples = await load.stop();
      for (const id of app.log.repeated()) stage.mayRepeat(id);
      // All that may be lost is what was on the new one as it died, and could not be sent again.
      expect((byStatus(samples)[200] ?? 0) / samples.length).toBeGreaterThan(0.97);
      expect(app.log.events('term')).toEqual([]);
    });
  }

  scenario('a version that dies after its probation is started ever less often', async (stage) => {
    const { app, load } = await deploy(stage, 'process', { CRASH_MS: 15_000 });
    await until(
      'it has died twice',
      () => app.log.events('exit').filter(({ code }) => code === 1).length >= 2,
      120_000,
    );
    await pause(3_000);
    await load.stop();
    for (const id of app.log.repeated()) stage.mayRepeat(id);
    expect(app.log.boots().length).toBeLessThanOrEqual(4);
  });

  for (const place of RUNTIMES) {
    scenario(`${place}: the only replica is replaced when it stays sick`, async (stage) => {
      const mimic = { LATENCY_MS: 20, SICK_MS: 4000, SICK_FIRST: 1 };
      const app = await stage.app('app', { place, mimic, service: { scale: SCALE, health: HEALTH } });
      const proxy = await stage.proxy({ apps: [app] });
      const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 20 });
      await until('it is sick', () => app.log.events('sick').length === 1, 60_000);
      await until('it has ended', () => app.log.events('exit').length === 1, 60_000);
      await pause(1_000);
      const samples = await load.stop();
      const [, fresh] = app.log.boots();
      expect(samples.at(-1)).toMatchObject({ status: 200, boot: fresh });
      expect(app.log.boots()).toHaveLength(2);
    });
  }

  scenario('one sick of three is replaced while the others serve', async (stage) => {
    const mimic = { LATENCY_MS: 20, SICK_MS: 4000, SICK_FIRST: 1 };
    const scale = { ...SCALE, min: 3 };
    const app = await stage.app('app', { mimic, service: { scale, health: HEALTH } });
    const proxy = await stage.proxy({ apps: [app] });
    await until('three are ready', async () => (await readyReplicas(proxy, app.name)) === 3, 60_000);
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 30 });
    await until('it has ended', () => app.log.events('exit').length === 1, 90_000);
    await until('three are ready', async () => (await readyReplicas(proxy, app.name)) === 3, 60_000);
    const samples = await load.stop();
    // From the first failure on it is ejected, then unhealthy: no more than a few requests meet it.
    const failed = samples.filter(({ status }) => status !== 200);
    expect(failed.length).toBeLessThan(samples.length * 0.1);
    expect(app.log.boots()).toHaveLength(4);
  });
});
