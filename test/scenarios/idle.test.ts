import { describe, expect } from 'vitest';
import type { PilotEvent } from '../../src/model/events.ts';
import { containerName, type Place } from '../support/app.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import type { MimicEvent, MimicLog } from '../support/mimic-log.ts';
import { byStatus, loadFor, PacedLoad } from '../support/paced-load.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { type Answer, connections, epochNow, pause, RawConnection, took } from '../support/raw-client.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { WebSocketClient } from '../support/web-socket.ts';

const RUNTIMES: Place[] = ['process', 'docker-container'];
const IDLE_MS = 2_000;
const IDLE = { scale: { idle: '2s' } };
/** Clocks of two processes, read in fractions of a millisecond, may differ by this much. */
const CLOCK_MS = 5;
/** The proxy follows within a second; a deadline is kept to a second. */
const KNOWN_WITHIN_MS = 2_000;
/** An exit sooner after the start than this is a failed start. */
const ESTABLISHED_MS = 10_500;

async function stopOf(log: MimicLog, timeout = 60_000): Promise<MimicEvent> {
  await until('the replica is told to end', () => log.events('term').length === 1, timeout);
  return log.only('term');
}

/**
 * Not earlier than due, counted from what was surely before the last activity's end; and not more than a second late,
 * counted from what was surely after it. What a busy machine takes from the decision to the signal is not the proxy's.
 */
function expectOnTime(stop: { decidedAt: number; termAt: number }, { from, to }: { from: number; to: number }): void {
  expect(stop.termAt).toBeGreaterThanOrEqual(from - CLOCK_MS);
  expect(stop.decidedAt).toBeLessThanOrEqual(to + 1_000);
}

/** When the proxy decided on the one retire there is, and when the app was told. */
async function onlyStop(proxy: RunningProxy, log: MimicLog): Promise<{ decidedAt: number; termAt: number }> {
  const term = await stopOf(log);
  return { decidedAt: Date.parse((await proxy.untilTold('retiring')).at), termAt: term.at };
}

const states = async (proxy: RunningProxy, name: string): Promise<string[]> =>
  (await proxy.service(name)).replicas.map(({ state }) => state);

describe.concurrent('idle and retire', () => {
  for (const place of RUNTIMES) {
    scenario(`${place}: the idle clock starts at the end of a download that is longer than it`, async (stage) => {
      const app = await stage.app('app', { place, service: IDLE });
      const proxy = await stage.proxy({ apps: [app] });
      const answer = await proxy.request({ host: app.host, path: '/download?bytes=2000000&seconds=6' });
      expect([answer.status, answer.body.length, answer.ending]).toEqual([200, 2_000_000, 'complete']);
      const appEnd = app.log.only('begin').at + 5_800;
      expectOnTime(await onlyStop(proxy, app.log), { from: appEnd + IDLE_MS, to: answer.endedAt + IDLE_MS });
      await proxy.untilState(app.name, 'asleep');
    });
  }

  scenario('a WebSocket with traffic keeps its replica', async (stage) => {
    const app = await stage.app('app', { service: IDLE });
    const proxy = await stage.proxy({ apps: [app] });
    const socket = await WebSocketClient.open(proxy.port, app.host);
    for (let turn = 0; turn < 8; turn++) {
      await socket.send(`turn ${turn}`);
      expect(await socket.next()).toBe(`turn ${turn}`);
      await pause(1_000);
    }
    expect(app.log.events('term')).toEqual([]);
    const closing = epochNow();
    await socket.close();
    const due = { from: closing + IDLE_MS, to: epochNow() + IDLE_MS };
    expectOnTime(await onlyStop(proxy, app.log), due);
    expect(app.log.boots()).toHaveLength(1);
  });

  for (const workers of [1, 2]) {
    const title = `a monitor that may not wake a service does not keep it awake (workers: ${workers})`;
    scenario(title, async (stage) => {
      const wake = [
        { userAgent: '*UptimeRobot*', then: 'answer', status: 204 },
        { path: '/healthz', then: 'deny' },
      ];
      const app = await stage.app('app', { service: { ...IDLE, wake } });
      const proxy = await stage.proxy({ apps: [app], config: { workers } });
      const probe = (path: string, agent: string) =>
        proxy.request({ host: app.host, path, headers: { 'User-Agent': agent } });
      expect((await probe('/', 'UptimeRobot/2.0')).status).toBe(204);
      expect(app.log.boots()).toEqual([]);
      const person = await proxy.request({ host: app.host, path: '/echo?secret=1' });
      expect(person.status).toBe(200);
      let passed = 0;
      let isOver = false;
      const probing = (async () => {
        while (!isOver) {
          const answers = await Promise.all([probe('/', 'UptimeRobot/2.0'), probe('/healthz', 'x')]);
          passed += answers.filter(({ status }) => status === 200).length;
          await pause(150);
        }
      })();
      const stop = await onlyStop(proxy, app.log).finally(() => {
        isOver = true;
      });
      await probing;
      expectOnTime(stop, { from: person.sentAt + IDLE_MS, to: person.endedAt + IDLE_MS });
      // While it was awake, they reached it.
      expect(passed).toBeGreaterThan(0);
      await proxy.untilState(app.name, 'asleep');
      expect((await proxy.service(app.name)).lastActivity?.what).toBe('GET /echo');
      expect(app.log.boots()).toHaveLength(1);
    });
  }

  scenario('a monitor does not keep awake what a crashed proxy left behind either', async (stage) => {
    const wake = [{ path: '/healthz', then: 'answer' }];
    const app = await stage.app('app', { service: { wake, scale: { idle: '2s', latency: { window: '2s' } } } });
    const first = await stage.proxy({ apps: [app] });
    expect((await first.request({ host: app.host })).status).toBe(200);
    await first.crash();
    const second = await stage.proxy({ apps: [app], successorOf: first });
    await second.untilState(app.name, 'ready');
    let isOver = false;
    const probing = (async () => {
      while (!isOver) {
        expect((await second.request({ host: app.host, path: '/healthz' })).status).toBe(200);
        await pause(150);
      }
    })();
    await stopOf(app.log).finally(() => {
      isOver = true;
    });
    await probing;
    await second.untilState(app.name, 'asleep');
    expect(app.log.boots()).toHaveLength(1);
  });

  scenario('idle keep-alive connections do not keep a replica', async (stage) => {
    const app = await stage.app('app', { service: IDLE });
    const proxy = await stage.proxy({ apps: [app] });
    const open = await connections(proxy.port, 5);
    const answers = await Promise.all(open.map((one) => one.exchange({ host: app.host, close: false })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const last = Math.max(...answers.map(({ endedAt }) => endedAt));
    const lastBegin = Math.max(...app.log.events('begin').map(({ at }) => at));
    expectOnTime(await onlyStop(proxy, app.log), { from: lastBegin + IDLE_MS, to: last + IDLE_MS });
    await proxy.untilState(app.name, 'asleep');
    // They are still good, and wake the service like any other.
    expect(open.map(({ ended }) => ended)).toEqual([false, false, false, false, false]);
    const again = await Promise.all(open.map((one) => one.exchange({ host: app.host })));
    expect(again.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(app.log.boots()).toHaveLength(2);
  });

  for (const place of RUNTIMES) {
    scenario(`${place}: a request for the only replica, which drains, calls its retire off`, async (stage) => {
      const app = await stage.app('app', { place });
      const proxy = await stage.proxy({ apps: [app] });
      const long = proxy.request({ host: app.host, path: '/download?bytes=1000&gate=end' });
      await until('the download runs', () => app.log.events('begin').length === 1);
      await proxy.sleep(app.name);
      await until('the replica drains', async () => (await states(proxy, app.name)).includes('draining'));
      const answer = await proxy.request({ host: app.host });
      expect([answer.status, answer.headers['x-mimic-boot']]).toEqual([200, app.log.only('boot').boot]);
      expect((await proxy.service(app.name)).state).toBe('ready');
      app.open('end');
      expect((await long).ending).toBe('complete');
      await proxy.untilTold('revoked');
      await pause(500);
      expect(app.log.events('term')).toEqual([]);
    });
  }

  for (const place of RUNTIMES) {
    scenario(`${place}: a request after the stop was issued waits for a fresh start`, async (stage) => {
      const app = await stage.app('app', { place, mimic: { TERM_MS: 3000 }, service: { scale: { max: 1 } } });
      const proxy = await stage.proxy({ apps: [app] });
      expect((await proxy.request({ host: app.host })).status).toBe(200);
      await proxy.sleep(app.name);
      await stopOf(app.log);
      const answer = await proxy.request({ host: app.host });
      expect(answer.status).toBe(200);
      expect(app.log.events('begin').filter(({ dying }) => dying)).toEqual([]);
      const [first, second] = app.log.boots();
      expect(answer.headers['x-mimic-boot']).toBe(second);
      expect(app.log.boots()).toHaveLength(2);
      // With max: 1 there is no room before the exit.
      expect(app.log.only('exit').boot).toBe(first);
      expect(app.log.events('boot')[1]?.at).toBeGreaterThan(app.log.only('exit').at);
    });
  }

  scenario(
    'when two become one, long requests of the victim end in peace and the other gets the new ones',
    async (stage) => {
      const guards = { downWindow: '3s', stepDownEvery: '1s', warmUp: '0s', minSamples: 10 };
      const latency = { above: '1s', window: '2s' };
      const scale = { initial: 2, max: 2, idle: 'never', latency, guards };
      const app = await stage.app('app', { service: { scale, timeouts: { drain: '30s' } } });
      const proxy = await stage.proxy({ apps: [app] });
      expect((await proxy.request({ host: app.host })).status).toBe(200);
      await until('both run', () => app.log.events('ready').length === 2);
      // What a replica can carry is known by what it did carry.
      const before = await loadFor(3, { port: proxy.port, host: app.host, rate: 100 });
      expect(byStatus(before)).toEqual({ 200: before.length });
      const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 20, path: '/steady' });
      const long: Promise<Answer>[] = [];
      for (let turn = 0; turn < 6; turn++) {
        long.push(proxy.request({ host: app.host, path: '/download?bytes=1000&gate=end' }));
        await pause(300);
      }
      // None of them ends before one of the two is the victim, and has been for a while.
      const isCordoned = ({ type }: PilotEvent) => type === 'scaled' || type === 'retiring';
      await until('there is a victim', () => proxy.events.some(isCordoned), 60_000);
      const cordonedAt = Date.parse(proxy.events.find(isCordoned)?.at ?? '');
      await pause(3_000);
      expect(app.log.events('term')).toEqual([]);
      app.open('end');
      const term = await stopOf(app.log);
      const steady = await load.stop();
      expect(new Set(steady.map(({ status }) => status))).toEqual(new Set([200]));
      const ended = await Promise.all(long);
      expect(ended.every(({ status, ending }) => status === 200 && ending === 'complete')).toBe(true);
      expect(ended.filter(({ headers }) => headers['x-mimic-boot'] === term.boot)).not.toEqual([]);
      expect(term.inFlight ?? 0).toBe(0);
      // While the victim drained, what was new went to the other.
      const afterCordon = steady.filter(({ dueAt }) => dueAt > cordonedAt + 500);
      expect(afterCordon.length).toBeGreaterThan(0);
      expect(afterCordon.filter(({ boot }) => boot === term.boot)).toEqual([]);
      expect(app.log.boots()).toHaveLength(2);
    },
  );

  scenario('a retire is forced at the drain limit, with a clean close, and counted', async (stage) => {
    const app = await stage.app('app', { service: { timeouts: { drain: '3s' } } });
    const proxy = await stage.proxy({ apps: [app] });
    const client = await RawConnection.open(proxy.port);
    const sent = await client.send({ host: app.host, path: '/download?bytes=60000&seconds=60' });
    const answering = client.read('GET', sent);
    await until('the download runs', () => app.log.events('begin').length === 1);
    await pause(500);
    const asked = epochNow();
    await proxy.sleep(app.name);
    const slept = epochNow();
    const answer = await answering;
    const cutAt = epochNow();
    expect([answer.status, answer.ending]).toEqual([200, 'truncated']);
    const forcedAt = Date.parse((await proxy.untilTold('drain-forced')).at);
    expect(cutAt).toBeGreaterThanOrEqual(asked + 3_000 - CLOCK_MS);
    expect(forcedAt).toBeLessThanOrEqual(slept + 4_000);
    await stopOf(app.log);
    await proxy.untilState(app.name, 'asleep');
    expect(took(answer)).toBeLessThan(40_000);
  });

  for (const place of RUNTIMES) {
    scenario(
      `${place}: a replica that ran before the proxy is adopted, and retired when nobody visits it`,
      async (stage) => {
        const app = await stage.app('app', { place, service: { scale: { idle: '5s' } } });
        const first = await stage.proxy({ apps: [app] });
        expect((await first.request({ host: app.host })).status).toBe(200);
        await first.crash();
        const crashed = epochNow();
        const second = await stage.proxy({ apps: [app], successorOf: first });
        await second.untilState(app.name, 'ready');
        const term = await stopOf(app.log);
        expect(term.at).toBeGreaterThanOrEqual(crashed + 5_000);
        await second.untilState(app.name, 'asleep');
        expect(app.log.boots()).toHaveLength(1);
        expect((await second.request({ host: app.host })).status).toBe(200);
      },
    );
  }

  scenario('process: a replica that is killed by hand is known to be gone within a second', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app] });
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    await pause(ESTABLISHED_MS);
    killIfAlive(app.log.only('boot').pid, 'SIGKILL');
    await proxy.untilState(app.name, 'asleep', KNOWN_WITHIN_MS);
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    expect(app.log.boots()).toHaveLength(2);
  });

  scenario('docker: a container that is stopped or started by hand is known within a second', async (stage) => {
    const app = await stage.app('app', { place: 'docker-existing' });
    const proxy = await stage.proxy({ apps: [app] });
    const container = `/containers/${containerName(stage.workspace, app.name)}`;
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    await stage.docker('POST', `${container}/kill`);
    type Inspected = { State: { Running: boolean } };
    const runs = async () => (await stage.docker<Inspected>('GET', `${container}/json`)).json.State.Running;
    await until('the engine knows', async () => !(await runs()), 60_000, 5);
    await proxy.untilState(app.name, 'asleep', KNOWN_WITHIN_MS);
    await stage.docker('POST', `${container}/start`);
    await until('the app is ready', () => app.log.events('ready').length === 2, 60_000, 5);
    await proxy.untilState(app.name, 'ready', KNOWN_WITHIN_MS);
    const answer = await proxy.request({ host: app.host });
    expect([answer.status, answer.headers['x-cold-start']]).toEqual([200, undefined]);
    expect(app.log.boots()).toHaveLength(2);
  });
});
