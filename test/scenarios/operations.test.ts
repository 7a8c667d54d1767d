import { describe, expect } from 'vitest';
import type { Place } from '../support/app.ts';
import { markedProcesses } from '../support/marked-processes.ts';
import type { MimicLog } from '../support/mimic-log.ts';
import { byStatus, PacedLoad } from '../support/paced-load.ts';
import { burst, epochNow, pause } from '../support/raw-client.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { WebSocketClient } from '../support/web-socket.ts';

const RUNTIMES: Place[] = ['process', 'docker-container'];

/** The fewest and the most replicas that were alive (and ready) at once, from `since` on. */
function population(log: MimicLog, since: number): { fewestReady: number; mostAlive: number } {
  const [alive, ready] = [new Set<string>(), new Set<string>()];
  let [fewestReady, mostAlive] = [Number.POSITIVE_INFINITY, 0];
  for (const { event, boot, at } of log.events()) {
    if (event === 'boot') alive.add(boot);
    if (event === 'ready') ready.add(boot);
    if (event === 'term' || event === 'exit') ready.delete(boot);
    if (event === 'exit') alive.delete(boot);
    if (at < since) continue;
    fewestReady = Math.min(fewestReady, ready.size);
    mostAlive = Math.max(mostAlive, alive.size);
  }
  return { fewestReady, mostAlive };
}

describe.concurrent('restarts and configuration', () => {
  scenario('SIGTERM lets what is in flight and what is held end, then the proxy ends', async (stage) => {
    const drain = { timeouts: { drain: '6s' } };
    const warm = await stage.app('warm', { service: drain });
    const cold = await stage.app('cold', { mimic: { LISTEN_GATE: 'start' }, service: drain });
    const mimic = { READY_MS: 'never', BEFORE_READY: 'hang' };
    const never = await stage.app('never', { mimic, service: drain });
    const proxy = await stage.proxy({ apps: [warm, cold, never] });
    expect((await proxy.request({ host: warm.host })).status).toBe(200);
    const inFlight = burst(proxy.port, 50, { host: warm.host, path: '/?gate=answer' });
    const held = burst(proxy.port, 50, { host: cold.host });
    const hopeless = burst(proxy.port, 5, { host: never.host });
    await until('all are held', async () => (await proxy.metric('pilotlight_held')) === 55, 30_000, 20);
    await until('all are in flight', () => warm.log.events('begin').length === 51, 30_000, 20);
    const asked = epochNow();
    proxy.signal('SIGTERM');
    await until(
      'it is not ready any more',
      async () => (await proxy.admin('/readyz').catch(() => undefined))?.status !== 200,
      5_000,
      10,
    );
    warm.open('answer');
    cold.open('start');
    const flown = await inFlight;
    expect(flown.map(({ status, ending }) => `${status} ${ending}`)).toEqual(flown.map(() => '200 complete'));
    expect((await held).map(({ status }) => status)).toEqual(flown.map(() => 200));
    for (const { status, headers, endedAt } of await hopeless) {
      expect(status).toBe(503);
      expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
      expect(endedAt - asked).toBeLessThanOrEqual(7_000);
    }
    await proxy.ended();
    // The drain of 6 s, and the end of the replicas after it: of each within its grace of 10 s, or it is killed.
    expect(epochNow() - asked).toBeLessThanOrEqual(14_000);
    // Processes do not outlive the proxy, unless told to.
    await until('the replicas are gone', () => markedProcesses(stage.workspace.mark).length === 0);
  });

  scenario('with nothing to finish, SIGTERM ends the proxy at once', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app] });
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    const asked = epochNow();
    proxy.signal('SIGTERM');
    await proxy.ended();
    // Neither the drain limit of 30 s nor a replica's grace of 10 s was waited for.
    expect(epochNow() - asked).toBeLessThan(9_000);
    expect(app.log.events('term')).toHaveLength(1);
  });

  scenario('a reload that changes another service disturbs neither held requests nor WebSockets', async (stage) => {
    const slow = await stage.app('slow', { mimic: { LISTEN_GATE: 'start' } });
    const sockets = await stage.app('sockets');
    const other = await stage.app('other');
    const proxy = await stage.proxy({ apps: [slow, sockets, other] });
    const socket = await WebSocketClient.open(proxy.port, sockets.host);
    const held = burst(proxy.port, 20, { host: slow.host });
    await until('all are held', async () => (await proxy.metric('pilotlight_held')) === 20, 30_000, 20);
    const routes = [{ host: 'renamed.test' }];
    const changed = { ...other, service: { ...other.service, routes } };
    await proxy.reload(stage.config({ apps: [slow, sockets, changed] }));
    await proxy.untilTold('reloaded');
    expect((await proxy.request({ host: 'renamed.test' })).status).toBe(200);
    expect((await proxy.request({ host: other.host })).status).toBe(404);
    await socket.send('still', 'here');
    expect([await socket.next(), await socket.next()]).toEqual(['still', 'here']);
    await socket.close();
    slow.open('start');
    const answers = await held;
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect([slow.log.boots().length, sockets.log.boots().length]).toEqual([1, 1]);
  });

  scenario('a file with a mistake changes nothing, and the proxy says where the mistake is', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app] });
    const wrong = { ...app, service: { ...app.service, scael: { max: 2 } } };
    await proxy.reload(stage.config({ apps: [wrong] }));
    await proxy.untilTold('reload-failed');
    await until('it is said', () => /services\.app\.scael/.test(proxy.output));
    expect(proxy.output).toMatch(/pilotlight\.yaml:\d+:\d+/);
    expect(proxy.output).toContain('scale');
    expect((await proxy.request({ host: app.host })).status).toBe(200);
  });

  for (const place of RUNTIMES) {
    scenario(`${place}: a changed environment is rolled out one by one, without an error`, async (stage) => {
      const service = { scale: { min: 2, max: 2, idle: 'never' } };
      const app = await stage.app('app', { place, service });
      const proxy = await stage.proxy({ apps: [app] });
      await until('both are ready', () => app.log.events('ready').length === 2);
      await proxy.untilState(app.name, 'ready');
      const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 40 });
      await pause(1_000);
      const changedAt = epochNow();
      const changed = await stage.app('app', { place, service, mimic: { LATENCY_MS: 1 } });
      await proxy.reload(stage.config({ apps: [changed] }));
      await until('the old ones ended', () => app.log.events('exit').length === 2, 80_000);
      await pause(1_000);
      const samples = await load.stop();
      expect(byStatus(samples)).toEqual({ 200: samples.length });
      const [first, second, ...fresh] = app.log.boots();
      expect(fresh).toHaveLength(2);
      expect(new Set(app.log.events('exit').map(({ boot }) => boot))).toEqual(new Set([first, second]));
      expect(new Set(samples.slice(-20).map(({ boot }) => boot))).toEqual(new Set(fresh));
      expect(population(app.log, changedAt)).toEqual({ fewestReady: 2, mostAlive: 3 });
    });
  }

  scenario('where the new one is broken, the old one goes on', async (stage) => {
    const service = { scale: { min: 1, idle: 'never' } };
    const app = await stage.app('app', { service });
    const proxy = await stage.proxy({ apps: [app] });
    await until('it is ready', () => app.log.events('ready').length === 1);
    await proxy.untilState(app.name, 'ready');
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 20 });
    const broken = await stage.app('app', { service, mimic: { EXIT_CODE: 3 } });
    await proxy.reload(stage.config({ apps: [broken] }));
    await until('the new one was tried', () => app.log.events('boot').length >= 2);
    await proxy.untilTold('start-failed');
    await pause(2_000);
    const samples = await load.stop();
    expect(byStatus(samples)).toEqual({ 200: samples.length });
    expect(app.log.events('term')).toEqual([]);
    expect(new Set(samples.map(({ boot }) => boot))).toEqual(new Set([app.log.events('ready')[0]?.boot]));
  });
});
