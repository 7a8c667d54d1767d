import { describe, expect } from 'vitest';
import { createRandom } from '../../src/simulate/random.ts';
import { constant } from '../../src/simulate/service-time.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import { byStatus, PacedLoad } from '../support/paced-load.ts';
import { pause } from '../support/raw-client.ts';
import { decisionsOf, outcomesOf, quickScale, readyReplicas } from '../support/scaling.ts';
import { scenario } from '../support/scenario.ts';
import { shareResource } from '../support/shared-resource.ts';
import { until } from '../support/until.ts';

describe.concurrent('more replicas where they do not help', () => {
  scenario('behind a shared lock one more is tried, undone, and not tried again soon', async (stage) => {
    // Ten requests a second, however many replicas ask for the lock.
    const lock = await shareResource(1, constant(100), createRandom(1));
    stage.onEnd(lock.close);
    const mimic = { SLOTS: 50, DEPENDENCY: lock.address };
    const app = await stage.app('app', { mimic, service: { scale: quickScale('1500ms') } });
    const proxy = await stage.proxy({ apps: [app] });
    const load = PacedLoad.start({
      port: proxy.port,
      host: app.host,
      rate: (after) => after + (after < 4000 ? 250 : 60),
    });
    await until('it was tried in vain', async () => (await outcomesOf(proxy, app.name)).length > 0, 120_000, 200);
    expect(await outcomesOf(proxy, app.name)).toEqual([
      expect.stringMatching(/^no benefit: .*undone.*no increase for 2m$/),
    ]);
    await until('one is left', async () => (await readyReplicas(proxy, app.name)) === 1, 60_000, 200);
    const frozen = async () => (await proxy.service(app.name)).heldBack?.guards.includes('benefit') ?? false;
    await until('the next one is held back', frozen, 60_000, 200);
    await pause(5_000);
    const samples = await load.stop();
    expect(samples.filter(({ status }) => status === 200).length).toBeGreaterThan(100);
    expect(app.log.boots()).toHaveLength(2);
  });

  scenario('answers that always take long are no better with one more', async (stage) => {
    const app = await stage.app('app', { service: { scale: quickScale('1s') } });
    const proxy = await stage.proxy({ apps: [app] });
    const load = PacedLoad.start({ port: proxy.port, host: app.host, path: '/?delay=3000', rate: 10 });
    await until('it was tried in vain', async () => (await outcomesOf(proxy, app.name)).length > 0, 120_000, 200);
    expect(await outcomesOf(proxy, app.name)).toEqual([expect.stringMatching(/^no benefit/)]);
    await until('one is left', async () => (await readyReplicas(proxy, app.name)) === 1, 60_000, 200);
    const samples = await load.stop();
    expect(byStatus(samples)).toEqual({ 200: samples.length });
    expect(app.log.boots()).toHaveLength(2);
  });

  scenario('slow failures are no reason for one more', async (stage) => {
    const app = await stage.app('app', { service: { scale: quickScale('1s') } });
    const proxy = await stage.proxy({ apps: [app] });
    let count = 0;
    const path = () => (count++ % 2 === 0 ? '/?status=500&delay=3000' : '/?delay=20');
    const load = PacedLoad.start({ port: proxy.port, host: app.host, path, rate: 20 });
    const blocked = async () => (await proxy.service(app.name)).heldBack?.guards.includes('errors') ?? false;
    await until('one more is held back for the errors', blocked, 60_000, 200);
    await pause(5_000);
    expect(Object.keys(byStatus(await load.stop())).sort()).toEqual(['200', '500']);
    expect(app.log.boots()).toHaveLength(1);
  });

  scenario('an app that stands still for three seconds gets one more at most', async (stage) => {
    const app = await stage.app('app', { service: { scale: quickScale('1s') } });
    const proxy = await stage.proxy({ apps: [app] });
    await until('it is ready', async () => (await readyReplicas(proxy, app.name)) === 1);
    const load = PacedLoad.start({ port: proxy.port, host: app.host, path: '/?delay=20', rate: 20 });
    await pause(5_000);
    const pid = app.log.only('boot').pid;
    killIfAlive(pid, 'SIGSTOP');
    await pause(3_000);
    killIfAlive(pid, 'SIGCONT');
    await pause(25_000);
    const samples = await load.stop();
    expect(byStatus(samples)).toEqual({ 200: samples.length });
    expect(app.log.boots().length).toBeLessThanOrEqual(2);
    expect(
      (await decisionsOf(proxy, app.name)).filter(({ action }) => action === 'scale-up').length,
    ).toBeLessThanOrEqual(1);
  });
});
