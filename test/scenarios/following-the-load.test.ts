import { describe, expect } from 'vitest';
import { byStatus, PacedLoad } from '../support/paced-load.ts';
import { epochNow, pause } from '../support/raw-client.ts';
import { decisionsOf, QUICK_GUARDS, quickScale, readyReplicas } from '../support/scaling.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** An app that answers 25 requests a second: ten at a time, each in two fifths of a second. */
const TWENTY_FIVE_PER_SECOND = { SLOTS: 10, LATENCY_MS: 400 };
const ABOVE = '1600ms';

/** The next request of a load that has a rate of its own at each time. */
const at = (rate: (ms: number) => number) => (after: number) => after + 1000 / rate(after);

describe.concurrent('replicas follow the load', () => {
  scenario('what the load needs no more goes, one replica at a time', async (stage) => {
    const app = await stage.app('app', { mimic: TWENTY_FIVE_PER_SECOND, service: { scale: quickScale(ABOVE) } });
    const proxy = await stage.proxy({ apps: [app] });
    await until('it is ready', async () => (await readyReplicas(proxy, app.name)) === 1);
    const changing = PacedLoad.start({ port: proxy.port, host: app.host, rate: at((ms) => (ms < 3000 ? 10 : 65)) });
    await until('there are three', async () => (await readyReplicas(proxy, app.name)) >= 3, 120_000, 200);
    const high = await changing.stop();
    const low = PacedLoad.start({ port: proxy.port, host: app.host, rate: 5 });
    await until('one is left', async () => (await readyReplicas(proxy, app.name)) === 1, 180_000, 200);
    const samples = [...high, ...(await low.stop())];
    expect(byStatus(samples)).toEqual({ 200: samples.length });
    const down = (await decisionsOf(proxy, app.name)).filter(({ action }) => action === 'scale-down');
    expect(down.map(({ from, to }) => from - to)).toEqual(down.map(() => 1));
  });

  scenario('a load twenty times as high gets what it needs, and keeps it', async (stage) => {
    const app = await stage.app('app', {
      mimic: TWENTY_FIVE_PER_SECOND,
      service: { scale: quickScale(ABOVE, { max: 8 }) },
    });
    const proxy = await stage.proxy({ apps: [app] });
    await until('it is ready', async () => (await readyReplicas(proxy, app.name)) === 1);
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: at((ms) => (ms < 4000 ? 4 : 80)) });
    await until('there are four', async () => (await readyReplicas(proxy, app.name)) >= 4, 120_000, 200);
    // Two windows of a decrease.
    await pause(12_000);
    expect(await readyReplicas(proxy, app.name)).toBeGreaterThanOrEqual(4);
    const counts = byStatus(await load.stop());
    // What waits at the edge meanwhile is bounded: the rest is refused, and none is lost.
    expect(Object.keys(counts).filter((status) => status !== '200' && status !== '503')).toEqual([]);
    expect(app.log.boots().length).toBeLessThanOrEqual(8);
  });

  scenario('a load that grows steadily is followed', async (stage) => {
    const app = await stage.app('app', { mimic: TWENTY_FIVE_PER_SECOND, service: { scale: quickScale(ABOVE) } });
    const proxy = await stage.proxy({ apps: [app] });
    await until('it is ready', async () => (await readyReplicas(proxy, app.name)) === 1);
    const rate = at((ms) => 8 + Math.min(62, (62 * ms) / 60_000));
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate });
    await until('there are three', async () => (await readyReplicas(proxy, app.name)) >= 3, 180_000, 200);
    const samples = await load.stop();
    expect(byStatus(samples)).toEqual({ 200: samples.length });
    expect(app.log.boots().length).toBeLessThanOrEqual(6);
  });

  scenario('what cheap requests showed is not held against dear ones', async (stage) => {
    const app = await stage.app('app', { mimic: { SLOTS: 10 }, service: { scale: quickScale(ABOVE) } });
    const proxy = await stage.proxy({ apps: [app] });
    await until('it is ready', async () => (await readyReplicas(proxy, app.name)) === 1);
    const path = (ms: number) => (ms < 10_000 ? '/?delay=2' : '/?delay=400');
    const load = PacedLoad.start({ port: proxy.port, host: app.host, path, rate: 60 });
    await until('there are three', async () => (await readyReplicas(proxy, app.name)) >= 3, 120_000, 200);
    await pause(10_000);
    const samples = await load.stop();
    expect(byStatus(samples)).toEqual({ 200: samples.length });
    expect(app.log.boots().length).toBeLessThanOrEqual(5);
  });

  scenario('a load at the edge of what one replica carries does not make it swing', async (stage) => {
    const app = await stage.app('app', { mimic: TWENTY_FIVE_PER_SECOND, service: { scale: quickScale(ABOVE) } });
    const proxy = await stage.proxy({ apps: [app] });
    await until('it is ready', async () => (await readyReplicas(proxy, app.name)) === 1);
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 24 });
    await pause(45_000);
    const samples = await load.stop();
    expect(byStatus(samples)).toEqual({ 200: samples.length });
    // One more, one try without it, and that one back: the next try waits for minutes.
    const changes = (await decisionsOf(proxy, app.name)).filter(
      ({ action, kind }) => action !== 'none' && kind !== null,
    );
    expect(changes.length).toBeLessThanOrEqual(4);
    expect(app.log.boots().length).toBeLessThanOrEqual(3);
  });

  scenario('an app that turns requests away is given replicas until it does not', async (stage) => {
    const sheds = { ...TWENTY_FIVE_PER_SECOND, SHED_ABOVE: 10 };
    const app = await stage.app('app', { mimic: sheds, service: { scale: quickScale(ABOVE) } });
    const proxy = await stage.proxy({ apps: [app] });
    await until('it is ready', async () => (await readyReplicas(proxy, app.name)) === 1);
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: at((ms) => (ms < 3000 ? 10 : 75)) });
    await until('some are turned away', () => load.samples.some(({ status }) => status === 503), 30_000);
    const calm = () => {
      const recent = load.samples.filter(({ endedAt }) => endedAt > epochNow() - 5000);
      return recent.length > 200 && recent.filter(({ status }) => status === 503).length < recent.length * 0.05;
    };
    await until('few are turned away any more', calm, 120_000, 200);
    await load.stop();
    expect(app.log.boots().length).toBeGreaterThanOrEqual(3);
  });

  scenario('with dryRun increases are told, and none is made', async (stage) => {
    const scale = quickScale(ABOVE, { dryRun: true });
    const app = await stage.app('app', { mimic: TWENTY_FIVE_PER_SECOND, service: { scale } });
    const proxy = await stage.proxy({ apps: [app] });
    await until('it is ready', async () => (await readyReplicas(proxy, app.name)) === 1);
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: at((ms) => (ms < 3000 ? 10 : 65)) });
    const told = async () =>
      (await decisionsOf(proxy, app.name)).some(({ action, dryRun }) => action === 'scale-up' && dryRun);
    await until('an increase is told', told, 120_000, 200);
    await pause(3_000);
    await load.stop();
    expect(app.log.boots()).toHaveLength(1);
  });

  scenario('two services that each need more than there is share it evenly', async (stage) => {
    const guards = { ...QUICK_GUARDS, downWindow: '60s' };
    const [first, second] = await Promise.all(
      ['first', 'second'].map((name) =>
        stage.app(name, { mimic: TWENTY_FIVE_PER_SECOND, service: { scale: quickScale(ABOVE, { guards }) } }),
      ),
    );
    if (first === undefined || second === undefined) throw new Error('there are two apps');
    const proxy = await stage.proxy({ apps: [first, second], config: { budget: { replicas: 4 } } });
    const count = (name: string) => readyReplicas(proxy, name);
    await until('both are ready', async () => (await count('first')) === 1 && (await count('second')) === 1);
    const rate = at((ms) => (ms < 3000 ? 5 : 75));
    const greedy = PacedLoad.start({ port: proxy.port, host: first.host, rate });
    await until('the first has all that there is', async () => (await count('first')) === 3, 120_000, 200);
    const late = PacedLoad.start({ port: proxy.port, host: second.host, rate });
    await until(
      'both have two',
      async () => (await count('first')) === 2 && (await count('second')) === 2,
      180_000,
      200,
    );
    await Promise.all([greedy.stop(), late.stop()]);
  });
});
