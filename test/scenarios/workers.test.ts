import { existsSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { killIfAlive, markedProcesses } from '../support/marked-processes.ts';
import { PacedLoad } from '../support/paced-load.ts';
import { type Answer, burst, connections, epochNow, pause, requestOn } from '../support/raw-client.ts';
import { isAlive } from '../support/remains.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { byWorker, untilWorkers, workersOf } from '../support/workers.ts';

const TWO = { workers: 2 };

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);

describe.concurrent('workers', () => {
  scenario('a hundred cold requests over two workers bring up one replica', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' } });
    const proxy = await stage.proxy({ apps: [app], config: TWO });
    const asking = burst(proxy.port, 100, { host: app.host });
    await until('all are held', async () => (await proxy.metric('pilotlight_held')) === 100);
    app.open('start');
    const answers = await asking;
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.every(({ headers }) => headers['x-cold-start'] === '1')).toBe(true);
    expect(app.log.boots()).toHaveLength(1);
    expect(byWorker(answers)).toHaveLength(2);
    const counted = () => proxy.metric('pilotlight_requests_total', { service: app.name, code: '200' });
    await until('both workers have told all', async () => (await counted()) >= 100);
    expect(await counted()).toBe(100);
    expect(await proxy.metric('pilotlight_cold_starts_total', { service: app.name })).toBe(1);
  });

  scenario('connections are spread: none of two workers does more than 65 % of the work', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app], config: TWO });
    await proxy.request({ host: app.host });
    const open = await connections(proxy.port, 300);
    const answers = await Promise.all(open.map((connection) => requestOn(connection, { host: app.host })));
    const shares = byWorker(answers);
    expect(shares).toHaveLength(2);
    expect(Math.max(...shares)).toBeLessThan(0.65 * 300);
  });

  scenario('every worker writes whole lines into one access log, and opens it anew after a rotation', async (stage) => {
    const app = await stage.app('app');
    const file = join(stage.workspace.folder, 'access.log');
    const settings = { apps: [app], config: { ...TWO, accessLog: { file } } };
    const proxy = await stage.proxy(settings);
    const count = () => linesOf(file).length;
    await burst(proxy.port, 200, { host: app.host });
    await until('all are written', () => count() === 200);
    await rename(file, `${file}.1`);
    await proxy.reload(stage.config(settings));
    await until('it is opened anew', () => existsSync(file) && proxy.events.some(({ type }) => type === 'reloaded'));
    await burst(proxy.port, 200, { host: app.host });
    await until('all are written again', () => count() === 200);
    const prefixes = linesOf(file).map((line) => String(JSON.parse(line).requestId).split('-')[0]);
    expect(new Set(prefixes).size).toBe(2);
  });

  scenario('a worker that is killed under load costs only what it had in hands, and is replaced', async (stage) => {
    const app = await stage.app('app', { mimic: { LATENCY_MS: 20 } });
    const proxy = await stage.proxy({ apps: [app], config: TWO });
    await proxy.request({ host: app.host });
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 100 });
    await pause(1000);
    const killedAt = epochNow();
    const [victim = 0] = workersOf(proxy);
    killIfAlive(victim, 'SIGKILL');
    await until('it is missed', () => !workersOf(proxy).includes(victim), 30_000, 1);
    const missedAt = epochNow();
    await untilWorkers(proxy, 2);
    await pause(500);
    const samples = await load.stop();
    const failed = samples.filter(({ status }) => status !== 200);
    // What was under way, and what was sent on one of its connections before its end was seen: nothing later.
    expect(failed.filter(({ dueAt, endedAt }) => endedAt < killedAt || dueAt > missedAt + 500)).toEqual([]);
    expect(samples.length - failed.length).toBeGreaterThan(100);
    expect(byWorker(await burst(proxy.port, 60, { host: app.host }))).toHaveLength(2);
    expect(app.log.boots()).toHaveLength(1);
  });

  scenario('a retire waits until nothing is in flight on any worker', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app], config: TWO });
    await proxy.request({ host: app.host });
    const underWay = burst(proxy.port, 40, { host: app.host, path: '/?gate=answer' });
    await until('all in flight', async () => (await proxy.service(app.name)).inFlight === 40);
    await proxy.sleep(app.name);
    await pause(500);
    expect(app.log.events('term')).toEqual([]);
    app.open('answer');
    const answers = await underWay;
    expect(byWorker(answers)).toHaveLength(2);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    await proxy.untilState(app.name, 'asleep');
    const term = app.log.only('term').at;
    expect(term).toBeGreaterThan(Math.max(...app.log.events('end').map(({ at }) => at)));
  });

  scenario('a worker that hangs is killed after five seconds, which is its acknowledgement', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app], config: TWO });
    await proxy.request({ host: app.host });
    const [hanging = 0] = workersOf(proxy);
    process.kill(hanging, 'SIGSTOP');
    const cordonedAt = epochNow();
    await proxy.sleep(app.name);
    await until('it is replaced', () => !workersOf(proxy).includes(hanging) && workersOf(proxy).length === 2);
    expect(epochNow() - cordonedAt).toBeGreaterThan(5000);
    await proxy.untilState(app.name, 'asleep');
    expect(app.log.only('term').at - cordonedAt).toBeGreaterThan(5000);
    await untilWorkers(proxy, 2);
    expect((await proxy.request({ host: app.host })).status).toBe(200);
  });

  scenario('a worker that says nothing for ten seconds is replaced', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app], config: TWO });
    const [hanging = 0] = workersOf(proxy);
    process.kill(hanging, 'SIGSTOP');
    const stoppedAt = epochNow();
    await until('it is replaced', () => !workersOf(proxy).includes(hanging));
    // It may have said something a while before it was stopped, on a busy machine.
    expect(epochNow() - stoppedAt).toBeGreaterThan(7000);
    await untilWorkers(proxy, 2);
    expect(byWorker(await burst(proxy.port, 40, { host: app.host }))).toHaveLength(2);
  });

  scenario('SIGTERM drains every worker and leaves no process behind', async (stage) => {
    const app = await stage.app('app', { service: { timeouts: { drain: '10s' } } });
    const proxy = await stage.proxy({ apps: [app], config: TWO });
    await proxy.request({ host: app.host });
    const underWay = burst(proxy.port, 40, { host: app.host, path: '/?gate=answer' });
    await until('all in flight', async () => (await proxy.service(app.name)).inFlight === 40);
    proxy.signal('SIGTERM');
    await until('it drains', async () => (await proxy.admin('/readyz').catch(() => undefined))?.status !== 200);
    app.open('answer');
    const answers = await underWay;
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(byWorker(answers)).toHaveLength(2);
    await proxy.ended();
    expect(markedProcesses(stage.workspace.mark)).toEqual([]);
  });

  scenario('workers outlive a primary that is killed by what they have under way, no longer', async (stage) => {
    const app = await stage.app('app', { service: { timeouts: { drain: '10s' }, onExit: 'keep' } });
    const proxy = await stage.proxy({ apps: [app], config: TWO });
    await proxy.request({ host: app.host });
    const workers = workersOf(proxy);
    const underWay = burst(proxy.port, 40, { host: app.host, path: '/?gate=answer' });
    await until('all in flight', async () => (await proxy.service(app.name)).inFlight === 40);
    const { pid } = proxy;
    proxy.signal('SIGKILL');
    await until('the primary is gone', () => !isAlive(pid));
    app.open('answer');
    expect((await underWay).filter(({ status }) => status !== 200)).toEqual([]);
    await proxy.exit;
    await until('the workers are gone', () => {
      const left = markedProcesses(stage.workspace.mark);
      return workers.every((pid) => !left.includes(pid));
    });
  });

  scenario('bounds hold over all workers together', async (stage) => {
    const concurrency = { scale: { min: 1, max: 1, concurrency: 4 }, hold: { timeout: '20s' } };
    const limited = await stage.app('limited', { mimic: { LATENCY_MS: 200 }, service: concurrency });
    const hold = { hold: { max: 10, timeout: '20s' } };
    const single = { scale: { min: 1, max: 1, concurrency: 1 }, hold: { timeout: '20s' } };
    const one = await stage.app('one', { mimic: { LATENCY_MS: 10 }, service: single });
    const slow = await stage.app('slow', { mimic: { LISTEN_GATE: 'start' }, service: hold });
    const proxy = await stage.proxy({ apps: [limited, one, slow], config: TWO });
    await proxy.untilState(limited.name, 'ready');
    await proxy.untilState(one.name, 'ready');
    const answers = await burst(proxy.port, 60, { host: limited.host });
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(limited.log.mostInFlight()).toBe(4);
    const queued = await burst(proxy.port, 40, { host: one.host });
    expect(queued.filter(({ status }) => status !== 200)).toEqual([]);
    expect(byWorker(queued)).toHaveLength(2);
    expect(one.log.mostInFlight()).toBe(1);
    const held: Answer[] = [];
    const asking = (await connections(proxy.port, 60)).map(async (connection) => {
      held.push(await requestOn(connection, { host: slow.host }));
    });
    // The start takes until they are refused.
    await until('all but ten are answered', () => held.length === 50, 15_000);
    slow.open('start');
    await Promise.all(asking);
    expect(held.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(held.filter(({ status }) => status === 503)).toHaveLength(50);
  });
});
