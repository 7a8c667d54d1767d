import { describe, expect } from 'vitest';
import { PacedLoad } from '../support/paced-load.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { burst, pause, RawConnection, request } from '../support/raw-client.ts';
import { isAlive } from '../support/remains.ts';
import { scenario } from '../support/scenario.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { until } from '../support/until.ts';
import { WebSocketClient } from '../support/web-socket.ts';

const DRAIN = { timeouts: { drain: '2s' } };

/** Asks for an upgrade and waits until the successor serves. @returns the process before */
async function upgrade(proxy: RunningProxy): Promise<number> {
  const before = proxy.pid;
  const upgrades = () => proxy.output.split('"event":"upgraded"').length;
  const served = upgrades();
  proxy.signal('SIGUSR2');
  await until('a successor serves', () => upgrades() > served, 60_000, 10);
  expect(proxy.pid).not.toBe(before);
  return before;
}

const ended = (pid: number): Promise<void> => until(`${pid} has ended`, () => !isAlive(pid), 60_000, 10);

describe.concurrent('upgrade', () => {
  for (const workers of [1, 2]) {
    scenario(`with ${workers} process(es), upgrades cost no request and no replica`, async (stage) => {
      const app = await stage.app('app', { mimic: { LATENCY_MS: 5 }, service: DRAIN });
      const proxy = await stage.proxy({ apps: [app], config: { workers } });
      await proxy.request({ host: app.host });
      const load = await SteadyLoad.start(proxy.port, app.host, 60, { webSocket: false });
      for (let round = 0; round < 3; round++) {
        await ended(await upgrade(proxy));
        await pause(300);
      }
      const { failures, kept, fresh } = await load.stop();
      expect(failures).toEqual([]);
      expect(Math.min(kept, fresh)).toBeGreaterThan(20);
      expect(app.log.boots()).toHaveLength(1);
      expect((await proxy.service(app.name)).state).toBe('ready');
    });
  }

  scenario('what is paused stays so through an upgrade, and goes on for the next request', async (stage) => {
    const app = await stage.app('app', { standby: 'paused', service: DRAIN });
    const proxy = await stage.proxy({ apps: [app] });
    await proxy.request({ host: app.host });
    await proxy.sleep(app.name);
    const isPaused = async () => (await proxy.service(app.name)).replicas[0]?.state === 'paused';
    await until('it is paused', isPaused);
    await ended(await upgrade(proxy));
    await until('the successor knows it as paused', isPaused);
    expect((await request(proxy.port, { host: app.host })).status).toBe(200);
    expect(app.log.boots()).toHaveLength(1);
    expect(await proxy.metric('pilotlight_resumes_total', { outcome: 'ready' })).toBe(1);
  });

  scenario('what is under way in the old process finishes there', async (stage) => {
    const app = await stage.app('app', { service: { timeouts: { drain: '20s' } } });
    const proxy = await stage.proxy({ apps: [app] });
    await proxy.request({ host: app.host });
    const underWay = burst(proxy.port, 10, { host: app.host, path: '/?gate=answer' });
    await until('all in flight', async () => (await proxy.service(app.name)).inFlight === 10);
    const before = await upgrade(proxy);
    expect(isAlive(before)).toBe(true);
    expect((await request(proxy.port, { host: app.host })).status).toBe(200);
    app.open('answer');
    expect((await underWay).filter(({ status }) => status !== 200)).toEqual([]);
    await ended(before);
    expect(app.log.boots()).toHaveLength(1);
  });

  scenario('a request that the old process holds is answered by what the new one starts', async (stage) => {
    const app = await stage.app('app', { service: { timeouts: { drain: '20s' } } });
    const warm = await stage.app('warm', { service: { timeouts: { drain: '20s' } } });
    const proxy = await stage.proxy({ apps: [app, warm] });
    await proxy.request({ host: warm.host });
    const kept = await RawConnection.open(proxy.port);
    await kept.exchange({ host: warm.host, close: false });
    const before = await upgrade(proxy);
    const answer = await kept.exchange({ host: app.host, close: false });
    expect(answer.status).toBe(200);
    expect(answer.headers['connection']).toBe('close');
    expect(app.log.boots()).toHaveLength(1);
    await ended(before);
  });

  scenario('nothing is retired while the old process lives, and it stops nothing', async (stage) => {
    const scale = { idle: '2s', latency: { window: '1s' } };
    const app = await stage.app('app', { service: { scale, timeouts: { drain: '60s' } } });
    const busy = await stage.app('busy', { service: { timeouts: { drain: '60s' } } });
    const proxy = await stage.proxy({ apps: [app, busy] });
    // The old process lives for as long as this is open.
    const socket = await WebSocketClient.open(proxy.port, busy.host);
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 5 });
    const before = await upgrade(proxy);
    await load.stop();
    await pause(6000);
    expect(isAlive(before)).toBe(true);
    expect([app.log.events('term'), busy.log.events('term')]).toEqual([[], []]);
    socket.connection.destroy();
    await ended(before);
    await proxy.untilState(app.name, 'asleep');
    expect((await proxy.service(busy.name)).state).toBe('ready');
    expect(app.log.boots()).toHaveLength(1);
  });

  scenario('a successor that cannot boot changes nothing, and the log says why', async (stage) => {
    const app = await stage.app('app', { service: DRAIN });
    const proxy = await stage.proxy({ apps: [app] });
    await proxy.request({ host: app.host });
    const { pid } = proxy;
    const settings = { apps: [app], config: { listen: [{ address: '192.0.2.1:1' }] } };
    await proxy.write(stage.config(settings));
    proxy.signal('SIGUSR2');
    await proxy.untilTold('upgrade-failed');
    await proxy.write({ ...stage.config({ apps: [app] }), frobnicate: 1 });
    proxy.signal('SIGUSR2');
    const failed = () => proxy.events.filter(({ type }) => type === 'upgrade-failed');
    await proxy.untilTold('upgrade-failed', 2);
    expect(failed()[0]?.message).toContain('this process goes on');
    expect(proxy.pid).toBe(pid);
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    await proxy.write(stage.config({ apps: [app] }));
    await ended(await upgrade(proxy));
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    expect(app.log.boots()).toHaveLength(1);
  });
});
