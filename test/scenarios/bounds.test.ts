import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { containerName, type Place } from '../support/app.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { type Answer, burst, connections, epochNow, pause, requestOn, took } from '../support/raw-client.ts';
import { Relay } from '../support/relay.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const RUNTIMES: Place[] = ['process', 'docker-container'];

/** A refusal while the circuit is open takes under 20 ms: five-fold slack. */
const AT_ONCE_MS = 100;

/** An exit sooner after the start than this is a failed start. */
const ESTABLISHED_MS = 10_500;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const withStatus = (answers: readonly Answer[], status: number): Answer[] =>
  answers.filter((answer) => answer.status === status);

/** A refusal of the proxy's own, to be tried again after whole seconds, at least one. */
function expectRetryLater(answer: Answer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  expect(answer.headers['proxy-status']).toMatch(/^pilotlight; error=/);
}

/** A proxy whose line to the Docker engine can be cut. */
async function relayed(stage: Stage): Promise<{ relay: Relay; socket: string }> {
  const socket = join(stage.workspace.folder, 'docker.sock');
  const relay = await Relay.open({ path: socket }, { path: stage.workspace.dockerSocket });
  stage.onEnd(() => relay.cut());
  return { relay, socket };
}

/** Asks every 100 ms until the service answers 200; the answers before that must be refusals. */
async function untilServed(proxy: RunningProxy, host: string, timeout: number): Promise<void> {
  await until(
    `${host} is served`,
    async () => {
      const answer = await proxy.request({ host });
      if (answer.status !== 200) expectRetryLater(answer, 503);
      return answer.status === 200;
    },
    timeout,
    100,
  );
}

describe.concurrent('bounds and failures', () => {
  scenario(
    'what is over the hold limit is refused at once, the rest is served',
    async (stage) => {
      const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' }, service: { hold: { max: 50 } } });
      const proxy = await stage.proxy({ apps: [app] });
      const answered: Answer[] = [];
      const asking = (await connections(proxy.port, 80)).map(async (connection) => {
        answered.push(await requestOn(connection, { host: app.host }));
      });
      // The start takes until they are refused.
      await until('all but fifty are answered', () => answered.length === 30);
      app.open('start');
      await Promise.all(asking);
      const [served, refused] = [withStatus(answered, 200), withStatus(answered, 503)];
      expect([served.length, refused.length]).toEqual([50, 30]);
      for (const answer of refused) {
        expectRetryLater(answer, 503);
        expect(app.log.seen(answer.id)).toBe(0);
      }
      expect(app.log.boots()).toHaveLength(1);
      expect(await proxy.metric('pilotlight_hold_rejected_total', { service: app.name })).toBe(30);
    },
    { alone: true },
  );

  scenario('a hundred large uploads hold 64 KiB each at most, and all arrive', async (stage) => {
    const hold = { maxBytes: '8MiB' };
    const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' }, service: { hold } });
    const proxy = await stage.proxy({ apps: [app] });
    await proxy.nothingHeld();
    const before = proxy.residentBytes();
    const body = randomBytes(1024 * 1024);
    const sending = burst(proxy.port, 100, { method: 'POST', path: '/digest', host: app.host, body });
    await until('all are held', async () => (await proxy.metric('pilotlight_held')) === 100);
    await pause(300);
    const held = await proxy.metric('pilotlight_held_bytes');
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(100 * 64 * 1024);
    expect(proxy.residentBytes() - before).toBeLessThan(64 * 1024 * 1024);
    app.open('start');
    const answers = await sending;
    const sha256 = createHash('sha256').update(body).digest('hex');
    for (const answer of answers) {
      expect(JSON.parse(answer.body.toString())).toEqual({ bytes: body.length, sha256 });
    }
    expect(await proxy.metric('pilotlight_held_bytes')).toBe(0);
  });

  scenario(
    'a start that never gets ready ends the hold at its deadline',
    async (stage) => {
      const mimic = { READY_MS: 'never', BEFORE_READY: 'hang' };
      const app = await stage.app('app', { mimic, service: { hold: { timeout: '3s' } } });
      const proxy = await stage.proxy({ apps: [app] });
      const answer = await proxy.request({ host: app.host });
      expectRetryLater(answer, 504);
      expect(took(answer)).toBeGreaterThanOrEqual(3_000);
      expect(took(answer)).toBeLessThanOrEqual(4_000);
      expect(app.log.seen(answer.id)).toBe(0);
    },
    { alone: true },
  );

  for (const place of RUNTIMES) {
    const missing = place === 'process' ? 'command' : 'image';
    scenario(`${place}: a missing ${missing} is tried twice in ten seconds at most`, async (stage) => {
      const docker = { image: 'pilotlight-test/no-such-image:1', port: 80 };
      const run = place === 'process' ? { process: { command: ['/no/such/program', '{port}'] } } : { docker };
      const service = { routes: [{ host: 'app.test' }], run };
      const config = { services: { app: service }, docker: { socket: stage.workspace.dockerSocket } };
      const proxy = await stage.proxy({ config });
      const answers: Answer[] = [];
      const unrouted: Answer[] = [];
      const began = epochNow();
      for (let due = began; due < began + 9_500; due = Math.max(due + 500, epochNow())) {
        await pause(Math.max(0, due - epochNow()));
        answers.push(await proxy.request({ host: 'app.test' }));
        unrouted.push(await proxy.request({ host: 'nobody.test' }));
      }
      for (const answer of answers) expectRetryLater(answer, 503);
      const failures = await proxy.metric('pilotlight_start_failures_total', { service: 'app' });
      expect(failures).toBeGreaterThanOrEqual(1);
      expect(failures).toBeLessThanOrEqual(2);
      // At most two of them waited for an attempt; the others no longer than those that nobody serves.
      expect(median(answers.map(took))).toBeLessThan(AT_ONCE_MS + median(unrouted.map(took)));
    });
  }

  scenario('after the back-off one trial start serves everybody', async (stage) => {
    const app = await stage.app('app', { mimic: { FAIL_FIRST: 3 } });
    const proxy = await stage.proxy({ apps: [app] });
    let answers: Answer[] = [];
    await until(
      'it is served',
      async () => {
        answers = await burst(proxy.port, 10, { host: app.host });
        const refused = withStatus(answers, 503);
        for (const answer of refused) expectRetryLater(answer, 503);
        expect(refused.length === 0 || refused.length === 10).toBe(true);
        if (refused.length === 0) return true;
        const failures = app.log.boots().length;
        expect(failures).toBeLessThanOrEqual(3);
        expect((await proxy.service(app.name)).state).toBe('failing');
        const wait = Math.min(...refused.map(({ headers }) => Number(headers['retry-after'])));
        expect(wait).toBeLessThanOrEqual(30);
        await pause(wait * 1000);
        return false;
      },
      100_000,
    );
    expect(withStatus(answers, 200)).toHaveLength(10);
    expect(app.log.boots()).toHaveLength(4);
    expect(await proxy.metric('pilotlight_start_failures_total', { service: app.name })).toBe(3);
  });

  scenario('docker: without the engine warm services go on and cold ones answer 503', async (stage) => {
    const { relay, socket } = await relayed(stage);
    const warm = await stage.app('warm', { place: 'docker-container' });
    const cold = await stage.app('cold', { place: 'docker-container' });
    const config = { docker: { socket, reach: 'container' } };
    const proxy = await stage.proxy({ apps: [warm, cold], config });
    expect((await proxy.request({ host: warm.host })).status).toBe(200);
    await relay.cut();
    await pause(500);
    expectRetryLater(await proxy.request({ host: cold.host }), 503);
    for (let turn = 0; turn < 10; turn++) expect((await proxy.request({ host: warm.host })).status).toBe(200);
    expect(warm.log.boots()).toHaveLength(1);
    await relay.restore();
    await untilServed(proxy, cold.host, 60_000);
    expect((await proxy.request({ host: warm.host })).status).toBe(200);
    expect([warm.log.boots().length, cold.log.boots().length]).toEqual([1, 1]);
  });

  scenario('docker: a stop from outside is noticed although the event stream broke', async (stage) => {
    const { relay, socket } = await relayed(stage);
    const app = await stage.app('app', { place: 'docker-existing' });
    const proxy = await stage.proxy({ apps: [app], config: { docker: { socket, reach: 'container' } } });
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    await pause(ESTABLISHED_MS);
    await relay.cut();
    await stage.docker('POST', `/containers/${containerName(stage.workspace, app.name)}/kill`);
    await relay.restore();
    // Within five seconds, and what a busy engine takes to list what runs.
    await proxy.untilState(app.name, 'asleep', 10_000);
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    expect(app.log.boots()).toHaveLength(2);
  });

  scenario(
    'docker: a stop from outside is noticed at the connect, and the request is served all the same',
    async (stage) => {
      const { relay, socket } = await relayed(stage);
      const app = await stage.app('app', { place: 'docker-existing' });
      const proxy = await stage.proxy({ apps: [app], config: { docker: { socket, reach: 'container' } } });
      expect((await proxy.request({ host: app.host })).status).toBe(200);
      await pause(ESTABLISHED_MS);
      await relay.cut();
      await stage.docker('POST', `/containers/${containerName(stage.workspace, app.name)}/kill`);
      await relay.restore();
      expect((await proxy.request({ host: app.host })).status).toBe(200);
      expect(app.log.boots()).toHaveLength(2);
    },
  );

  scenario('what is killed right after its first answer is started again for whoever asks next', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app] });
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    killIfAlive(app.log.only('boot').pid, 'SIGKILL');
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    expect(app.log.boots()).toHaveLength(2);
  });

  scenario('a GET that the app reset before its first byte is tried again, a POST is not', async (stage) => {
    const get = await stage.app('get', { mimic: { RESET: 'once' } });
    const post = await stage.app('post', { mimic: { RESET: 'once' } });
    const keyed = await stage.app('keyed', { mimic: { RESET: 'once' }, service: { retries: { idempotent: true } } });
    const proxy = await stage.proxy({ apps: [get, post, keyed] });
    const first = await proxy.request({ host: get.host });
    expect(first.status).toBe(200);
    stage.mayRepeat(first.id);
    expect(get.log.seen(first.id)).toBe(2);

    const second = await proxy.request({ method: 'POST', host: post.host, path: '/echo', body: 'once' });
    expect(second.status).toBe(502);
    expect(second.headers['proxy-status']).toContain('error=connection_terminated');
    expect(post.log.seen(second.id)).toBe(1);

    const headers = { 'idempotency-key': 'k1' };
    const third = await proxy.request({ method: 'POST', host: keyed.host, path: '/echo', body: 'again', headers });
    expect([third.status, third.body.toString()]).toEqual([200, 'again']);
    stage.mayRepeat(third.id);
    expect(keyed.log.seen(third.id)).toBe(2);
  });

  scenario('many resets do not multiply the requests beyond the retry budget', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app] });
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    const began = epochNow();
    for (let turn = 0; turn < 10; turn++) {
      const answers = await burst(proxy.port, 10, { host: app.host, path: '/?reset=1' });
      for (const { id, status } of answers) {
        stage.mayRepeat(id);
        expect(status).toBe(502);
      }
    }
    const spans = Math.ceil((epochNow() - began) / 10_000);
    const attempts = app.log.events('begin').length - 1;
    expect(attempts).toBeGreaterThan(100);
    expect(attempts).toBeLessThanOrEqual(1.1 * 101 + 3 * spans);
  });
});
