import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { Place } from '../support/app.ts';
import {
  type Answer,
  burst,
  connections,
  Disconnected,
  epochNow,
  pause,
  RawConnection,
  requestOn,
} from '../support/raw-client.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { WebSocketClient } from '../support/web-socket.ts';

const PLACES: Place[] = ['process', 'docker-container', 'docker-host', 'docker-existing'];
const RUNTIMES: Place[] = ['process', 'docker-container'];

/** Clocks of two processes, read in fractions of a millisecond, may differ by this much. */
const CLOCK_MS = 5;

function expectAll(answers: readonly Answer[], status: number): void {
  expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => status));
  expect(answers.every(({ ending }) => ending === 'complete')).toBe(true);
}

describe.concurrent('wake and hold', () => {
  for (const place of PLACES) {
    scenario(
      `${place}: a request for a sleeping service is answered as soon as the app answers`,
      async (stage) => {
        const app = await stage.app('app', { place, mimic: { LISTEN_MS: 1000 } });
        const proxy = await stage.proxy({ apps: [app] });
        const beyond: number[] = [];
        for (let round = 1; round <= 3; round++) {
          const answer = await proxy.request({ host: app.host });
          expectAll([answer], 200);
          expect(answer.headers['x-cold-start']).toBe('1');
          const [boot, ready] = [app.log.events('boot').at(-1)?.at ?? 0, app.log.events('ready').at(-1)?.at ?? 0];
          expect(ready - boot).toBeGreaterThanOrEqual(1000 - CLOCK_MS);
          expect(app.log.boots()).toHaveLength(round);
          beyond.push(answer.endedAt - ready);
          await proxy.untilState(app.name, 'ready');
          expect((await proxy.request({ host: app.host })).headers['x-cold-start']).toBeUndefined();
          await proxy.sleep(app.name);
          await proxy.untilState(app.name, 'asleep');
        }
        // Holding and waking add at most 60 ms to the app's own readiness: here with five-fold slack, exactly in load-tests.
        expect(Math.min(...beyond)).toBeLessThan(300);
      },
      { alone: true },
    );
  }

  for (const place of PLACES) {
    scenario(`${place}: a hundred requests at once bring up one replica`, async (stage) => {
      const app = await stage.app('app', { place, mimic: { LISTEN_MS: 300 } });
      const proxy = await stage.proxy({ apps: [app] });
      const answers = await burst(proxy.port, 100, { host: app.host });
      expectAll(answers, 200);
      expect(app.log.boots()).toHaveLength(1);
      expect(answers.map(({ id }) => app.log.seen(id))).toEqual(answers.map(() => 1));
    });
  }

  scenario('an app that takes one request at a time never gets two, however many wait', async (stage) => {
    const scale = { concurrency: 1, max: 10 };
    const mimic = { LATENCY_MS: 300, LIMIT: 1 };
    const app = await stage.app('app', { mimic, service: { scale, hold: { timeout: '30s' } } });
    const proxy = await stage.proxy({ apps: [app] });
    const answers = await burst(proxy.port, 100, { host: app.host });
    expectAll(answers, 200);
    expect(app.log.mostInFlight()).toBe(1);
    expect(app.log.boots().length).toBeLessThanOrEqual(10);
    expect(answers.map(({ id }) => app.log.seen(id))).toEqual(answers.map(() => 1));
  });

  for (const place of RUNTIMES) {
    scenario(`${place}: the body of a held request arrives once, byte for byte`, async (stage) => {
      const app = await stage.app('app', { place, mimic: { LISTEN_MS: 300 } });
      const proxy = await stage.proxy({ apps: [app] });
      const body = randomBytes(8192);
      const answer = await proxy.request({ method: 'POST', path: '/echo', host: app.host, body });
      expectAll([answer], 200);
      expect(answer.body.equals(body)).toBe(true);
      expect(app.log.seen(answer.id)).toBe(1);
    });
  }

  scenario('a large upload wakes at its head, waits in the client, and arrives complete', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' } });
    const proxy = await stage.proxy({ apps: [app] });
    const body = randomBytes(50 * 1024 * 1024);
    const client = await RawConnection.open(proxy.port);
    const headers = { 'content-length': String(body.length) };
    const sent = await client.send({ method: 'POST', path: '/digest', host: app.host, headers });
    await until('the start is triggered', () => app.log.boots().length === 1);
    const writing = client.write(body);
    await pause(500);
    // The proxy holds 64 KiB; what more left this process lies in the buffers of the kernel.
    expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(16 * 1024 * 1024);
    expect(await proxy.metric('pilotlight_held_bytes')).toBeLessThanOrEqual(64 * 1024);
    app.open('start');
    const answer = await client.read('POST', sent);
    await writing;
    expectAll([answer], 200);
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect(JSON.parse(answer.body.toString())).toEqual({ bytes: body.length, sha256 });
  });

  scenario('the body after Expect: 100-continue is not asked for before a replica can take it', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 700 } });
    const proxy = await stage.proxy({ apps: [app] });
    const client = await RawConnection.open(proxy.port);
    const headers = { 'content-length': '5', expect: '100-continue' };
    const sent = await client.send({ method: 'POST', path: '/echo', host: app.host, headers });
    const interim = await client.readHead();
    expect(interim.status).toBe(100);
    expect(interim.at).toBeGreaterThanOrEqual(app.log.only('ready').at - CLOCK_MS);
    await client.write('hello');
    const answer = await client.read('POST', sent);
    expectAll([answer], 200);
    expect(answer.body.toString()).toBe('hello');
  });

  scenario('a client that leaves frees its place at once, and the start goes on for the others', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' }, service: { hold: { max: 2 } } });
    const proxy = await stage.proxy({ apps: [app] });
    const [first, second, third, fourth] = await connections(proxy.port, 4);
    if (!first || !second || !third || !fourth) throw new Error('no connections');
    const held = async (count: number): Promise<void> =>
      until(`${count} are held`, async () => (await proxy.metric('pilotlight_held')) === count, 10_000, 20);
    const leaving = requestOn(first, { host: app.host, id: 'leaving' });
    const staying = requestOn(second, { host: app.host });
    await held(2);
    expect((await requestOn(third, { host: app.host })).status).toBe(503);
    first.reset();
    await expect(leaving).rejects.toThrow(Disconnected);
    await held(1);
    const late = requestOn(fourth, { host: app.host });
    await held(2);
    app.open('start');
    expectAll([await staying, await late], 200);
    expect(app.log.boots()).toHaveLength(1);
    expect(app.log.seen('leaving')).toBe(0);
  });

  scenario('when the only client leaves, the replica goes back to sleep and nothing is left', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' }, service: { scale: { idle: '1s' } } });
    const proxy = await stage.proxy({ apps: [app] });
    const descriptors = (): number => readdirSync(`/proc/${proxy.child.pid}/fd`).length;
    await proxy.nothingHeld();
    const before = descriptors();
    const client = await RawConnection.open(proxy.port);
    await client.send({ host: app.host, id: 'leaving' });
    await until('the start has begun', () => app.log.boots().length === 1);
    client.reset();
    await until('nothing is held', async () => (await proxy.metric('pilotlight_held')) === 0, 10_000, 20);
    app.open('start');
    await until('the replica ended', () => app.log.events('term').length === 1);
    await proxy.untilState(app.name, 'asleep');
    expect(app.log.boots()).toHaveLength(1);
    expect(app.log.seen('leaving')).toBe(0);
    await until('its descriptors are closed', () => descriptors() <= before);
  });

  for (const place of RUNTIMES) {
    scenario(`${place}: an open port that hangs, refuses or closes is not yet an app that is ready`, async (stage) => {
      const apps = await Promise.all(
        ['hang', '503', 'close'].map((what) =>
          stage.app(`app-${what}`, { place, mimic: { LISTEN_MS: 200, READY_MS: 2000, BEFORE_READY: what } }),
        ),
      );
      const proxy = await stage.proxy({ apps });
      const answers = await Promise.all(apps.map(({ host }) => burst(proxy.port, 5, { host })));
      expectAll(answers.flat(), 200);
      for (const { name, log } of apps) {
        const ready = log.only('ready').at;
        const early = log.events('begin').filter((event) => event.ready !== true || event.at < ready);
        expect(early, name).toEqual([]);
        expect(log.boots(), name).toHaveLength(1);
      }
    });
  }

  scenario('an app that answers 404 or 401 at its root counts as ready', async (stage) => {
    const apps = await Promise.all(
      [404, 401].map((status) => stage.app(`app-${status}`, { mimic: { ROOT_STATUS: status } })),
    );
    const proxy = await stage.proxy({ apps });
    for (const { host, log } of apps) {
      expectAll([await proxy.request({ host, path: '/api' })], 200);
      expect(log.boots()).toHaveLength(1);
    }
  });

  for (const place of PLACES) {
    // A container takes seconds to come and go.
    const cycles = place === 'process' ? 20 : 8;
    scenario(
      `${place}: ${cycles} sleeps and wakes in a row, each at the port of that start`,
      async (stage) => {
        const app = await stage.app('app', { place });
        const proxy = await stage.proxy({ apps: [app] });
        const addresses: (string | null | undefined)[] = [];
        for (let cycle = 1; cycle <= cycles; cycle++) {
          const answer = await proxy.request({ host: app.host, path: `/${cycle}` });
          expectAll([answer], 200);
          expect(answer.headers['x-mimic-boot']).toBe(app.log.boots().at(-1));
          expect(app.log.boots()).toHaveLength(cycle);
          addresses.push((await proxy.service(app.name)).replicas.find(({ state }) => state === 'ready')?.address);
          await proxy.sleep(app.name);
          await proxy.untilState(app.name, 'asleep');
        }
        if (place === 'process' || place === 'docker-host') expect(new Set(addresses).size).toBeGreaterThan(1);
        expect(await proxy.metric('pilotlight_start_failures_total')).toBe(0);
      },
      { timeout: 600_000 },
    );
  }

  scenario('a WebSocket opens after the wake, and all its frames come back in order', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 500 } });
    const proxy = await stage.proxy({ apps: [app] });
    const startedAt = epochNow();
    const socket = await WebSocketClient.open(proxy.port, app.host);
    expect(app.log.only('ready').at).toBeGreaterThan(startedAt);
    const texts = ['one', 'two', 'three', 'x'.repeat(20_000), 'five'];
    await socket.send(...texts);
    for (const text of texts) expect(await socket.next()).toBe(text);
    await socket.close();
    expect(app.log.boots()).toHaveLength(1);
  });

  scenario('the answer of an app just woken streams, and keeps its trailers', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app] });
    const client = await RawConnection.open(proxy.port);
    await client.send({ host: app.host, path: '/chunked?chunks=3&every=700', headers: { te: 'trailers' } });
    const head = await client.readHead();
    expect(head.status).toBe(200);
    const first = (await client.readSome()).toString();
    expect(first).toContain('chunk 0');
    expect(first).not.toContain('chunk 1');
    let rest = '';
    while (!rest.includes('\r\n\r\n')) rest += (await client.readSome()).toString();
    expect(rest).toContain('chunk 2');
    expect(rest.toLowerCase()).toContain('0\r\nx-check: complete\r\n\r\n');
  });
});
