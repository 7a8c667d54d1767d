import { describe, expect } from 'vitest';
import { expectStatus } from '../support/docker-api.ts';
import { NODE_IMAGE } from '../support/images.ts';
import { MARK_LABEL, RUN_LABEL } from '../support/marks.ts';
import { sumOf } from '../support/metrics-text.ts';
import { burst, request } from '../support/raw-client.ts';
import { scenario } from '../support/scenario.ts';

/** Clocks of two processes, read in fractions of a millisecond, may differ by this much. */
const CLOCK_MS = 5;
const TOKEN = 'a-token-of-some-length';

/** The durations of a Server-Timing field by name, ms. */
function timings(field: string): Record<string, number> {
  const entries = field.split(',').map((part): [string, number] => {
    const [, name = '', duration = ''] = /^\s*([\w-]+)\s*;\s*dur=([\d.]+)\s*$/.exec(part) ?? [];
    return [name, Number(duration)];
  });
  return Object.fromEntries(entries);
}

describe.concurrent('what is told to whom', () => {
  scenario('with a token, only whoever has it may use the admin API', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app], config: { admin: { token: TOKEN } } });
    const calls: [string, string][] = [
      ['GET', '/metrics'],
      ['GET', '/v1/services'],
      ['GET', '/v1/services/app'],
      ['GET', '/v1/services/nobody'],
      ['POST', '/v1/services/app/wake'],
      ['POST', '/v1/services/app/sleep'],
      ['GET', '/v1/events'],
      ['POST', '/v1/reload'],
      ['GET', '/no/such/path'],
      ['GET', '/'],
    ];
    const host = `127.0.0.1:${proxy.adminPort}`;
    for (const authorization of [undefined, 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
      for (const [method, path] of calls) {
        const headers = authorization === undefined ? {} : { authorization };
        const answer = await request(proxy.adminPort, { method, path, host, headers, timeout: 20_000 });
        expect(`${method} ${path} ${answer.status}`).toBe(`${method} ${path} 401`);
      }
      const health = await request(proxy.adminPort, { path: '/healthz', host });
      expect(health.status).toBe(200);
      expect(health.body.length).toBeLessThan(20);
    }
    expect(app.log.boots()).toEqual([]);
    expect((await proxy.services()).map(({ name }) => name)).toEqual(['app']);
  });

  scenario('the admin API is not reachable through a public listener, whatever the Host', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app], config: { admin: { token: TOKEN } } });
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (const host of [`127.0.0.1:${proxy.adminPort}`, `localhost:${proxy.adminPort}`, '127.0.0.1', 'localhost']) {
      for (const path of ['/metrics', '/v1/services', '/healthz', '/readyz']) {
        const answer = await proxy.request({ host, path, headers });
        expect(answer.status).toBe(404);
        expect(answer.headers['proxy-status']).toBe('pilotlight; error=destination_not_found');
      }
      const absolute = `http://127.0.0.1:${proxy.adminPort}/v1/services`;
      expect((await proxy.request({ host, path: absolute, headers })).status).toBe(404);
    }
  });

  scenario('a page of another site can neither read the admin API nor change anything', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app] });
    const ask = (method: string, path: string, host: string, headers: Record<string, string> = {}) =>
      request(proxy.adminPort, { method, path, host, headers });
    const own = `127.0.0.1:${proxy.adminPort}`;
    expect((await ask('GET', '/v1/services', 'evil.example')).status).toBeGreaterThanOrEqual(400);
    expect((await ask('GET', '/metrics', `evil.example:${proxy.adminPort}`)).status).toBeGreaterThanOrEqual(400);
    const wake = '/v1/services/app/wake';
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
    ]) {
      expect((await ask('POST', wake, own, headers as Record<string, string>)).status).toBe(403);
    }
    expect(app.log.boots()).toEqual([]);
    expect((await ask('POST', wake, own, { origin: `http://${own}` })).status).toBe(200);
  });

  scenario('the answer to a failed start tells nothing of the inside', async (stage) => {
    const secret = 'sesame-open-5';
    const env = { SECRET: secret, PORT: '{port}' };
    const run = { process: { command: ['/no/such/dir/program', '--key', secret], env } };
    const exits = await stage.app('exits', { mimic: { EXIT_CODE: 3 } });
    const services = { missing: { routes: [{ host: 'missing.test' }], run } };
    const proxy = await stage.proxy({ apps: [exits], config: { services } });
    for (const host of ['missing.test', exits.host]) {
      for (const accept of ['application/json', 'text/html', '*/*']) {
        const answer = await proxy.request({ host, headers: { accept } });
        expect(answer.status).toBe(503);
        const text = answer.rawHead + answer.body.toString();
        expect(text).not.toMatch(
          /127\.0\.0\.1|\/no\/such|sesame|leaving as configured|mimic\.mjs|ENOENT|exit(ed)? (with )?code/i,
        );
        expect(text).not.toContain(stage.workspace.folder);
        expect(answer.headers['content-type']).toMatch(
          accept === 'text/html' ? /^text\/html/ : /^application\/problem\+json/,
        );
        expect(answer.headers['x-request-id']).toBeTruthy();
      }
    }
    // Nor does the secret reach the log.
    expect(proxy.output).not.toContain(secret);
  });

  scenario(
    'the phases of a cold answer add up to the time it was held',
    async (stage) => {
      const app = await stage.app('app', { mimic: { LISTEN_MS: 1000 } });
      const proxy = await stage.proxy({ apps: [app] });
      const unsaid: number[] = [];
      const waitedForReady: number[] = [];
      for (let round = 1; round <= 3; round++) {
        const cold = await proxy.request({ host: app.host });
        expect(cold.headers['x-cold-start']).toBe('1');
        const phases = timings(cold.headers['server-timing'] ?? '');
        expect(Object.keys(phases)).toEqual(['queue', 'start', 'ready', 'release']);
        const sum = Object.values(phases).reduce((total, phase) => total + phase, 0);
        const held = (app.log.events('begin').at(-1)?.at ?? 0) - cold.sentAt;
        expect(sum).toBeGreaterThan(1000 - CLOCK_MS);
        expect(sum).toBeLessThan(held + CLOCK_MS);
        unsaid.push(held - sum);
        waitedForReady.push(phases['ready'] ?? 0);
        const warm = await proxy.request({ host: app.host });
        expect([warm.headers['x-cold-start'], warm.headers['server-timing']]).toEqual([undefined, undefined]);
        await proxy.sleep(app.name);
        await proxy.untilState(app.name, 'asleep');
      }
      // What the machine itself takes between two processes is no phase; in one of three rounds that is little.
      expect(Math.min(...unsaid)).toBeLessThan(100);
      expect(Math.max(...waitedForReady)).toBeGreaterThan(800);
    },
    { alone: true },
  );

  scenario('the metrics tell of a wake, and of strangers under one label', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 1000 } });
    const proxy = await stage.proxy({ apps: [app] });
    const answers = await burst(proxy.port, 100, { host: app.host });
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    for (let turn = 0; turn < 20; turn++) {
      expect((await proxy.request({ host: `guess-${turn}.test`, method: `VERB${turn}` })).status).toBe(404);
    }
    const series = await proxy.metrics();
    const service = app.name;
    expect(sumOf(series, 'pilotlight_held', { service })).toBe(0);
    expect(sumOf(series, 'pilotlight_cold_starts_total', { service })).toBe(1);
    expect(sumOf(series, 'pilotlight_requests_total', { service, code: '200' })).toBe(100);
    for (const phase of ['start', 'ready']) {
      expect(sumOf(series, 'pilotlight_cold_start_seconds_count', { service, phase })).toBe(1);
    }
    expect(sumOf(series, 'pilotlight_cold_start_seconds_sum', { service, phase: 'ready' })).toBeGreaterThan(0.25);
    expect(sumOf(series, 'pilotlight_replicas', { service, state: 'ready' })).toBe(1);
    const named = new Set(series.map(({ labels }) => labels['service']).filter((name) => name !== undefined));
    named.delete(service);
    expect(named.size).toBeLessThanOrEqual(1);
    expect(JSON.stringify(series)).not.toMatch(/guess|VERB/);
  });

  scenario('docker: a container that nobody put into the configuration is never started', async (stage) => {
    const name = `secret-${stage.workspace.mark}`;
    const labels = { [MARK_LABEL]: stage.workspace.mark, [RUN_LABEL]: stage.workspace.run };
    const spec = { Image: NODE_IMAGE, Cmd: ['node', '-e', 'setInterval(() => {}, 1000)'], Labels: labels };
    const created = await stage.docker<{ Id: string }>('POST', `/containers/create?name=${name}`, spec);
    const { Id } = expectStatus(created, 201).json;
    const app = await stage.app('app', { place: 'docker-container' });
    const proxy = await stage.proxy({ apps: [app] });
    for (const host of [name, `${name}.test`, Id.slice(0, 12), Id.slice(0, 63), `${name}:3000`]) {
      expect((await proxy.request({ host })).status).toBe(404);
    }
    // A whole id, of 64 digits, is longer than any label of a name.
    expect((await proxy.request({ host: Id })).status).toBe(400);
    expect((await proxy.admin(`/v1/services/${name}/wake`, { method: 'POST' })).status).toBe(404);
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    const { json } = await stage.docker<{ State: { Status: string } }>('GET', `/containers/${Id}/json`);
    expect(json.State.Status).toBe('created');
  });
});
