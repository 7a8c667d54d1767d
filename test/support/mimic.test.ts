import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { freePort } from './free-port.ts';
import { MimicLog } from './mimic-log.ts';
import { burst, Disconnected, RawConnection, request, took } from './raw-client.ts';
import { until } from './until.ts';
import { WebSocketClient } from './web-socket.ts';

interface Mimic {
  port: number;
  log: MimicLog;
  open: (gate: string) => void;
  child: ChildProcess;
  exit: Promise<number | null>;
}

/** Starts a mimic and waits until its port is open (or, with `wait: false`, not). */
async function mimic(
  { onTestFinished }: TestContext,
  settings: Record<string, string | number> = {},
  wait = true,
): Promise<Mimic> {
  const folder = await mkdtemp(join(tmpdir(), 'mimic-'));
  const port = await freePort();
  const files = {
    MIMIC_LOG: join(folder, 'log'),
    MIMIC_COUNTER: join(folder, 'count'),
    MIMIC_GATE: join(folder, 'gate-'),
  };
  const env = { PORT: port, HOST: '127.0.0.1', ...files };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'mimic.mjs')], {
    env: Object.fromEntries(Object.entries({ ...env, ...settings }).map(([name, value]) => [name, String(value)])),
    stdio: 'ignore',
  });
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
    await rm(folder, { recursive: true });
  });
  const log = new MimicLog(join(folder, 'log'));
  if (wait) await until('the port is open', () => log.events('listening').length > 0);
  const open = (gate: string) => writeFileSync(join(folder, `gate-${gate}`), '');
  return { port, log, open, child, exit };
}

// Each of them starts programs, five at once.
describe.concurrent('the mimic app', { timeout: 120_000 }, () => {
  test('it answers, and records identified requests apart from probes', async (context) => {
    const { port, log } = await mimic(context);
    const answer = await request(port, { path: '/a?status=201', id: 'one' });
    await (await fetch(`http://127.0.0.1:${port}/probe`)).arrayBuffer();
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ method: 'GET', url: '/a?status=201', id: 'one' });
    expect(log.only('begin')).toMatchObject({ id: 'one', method: 'GET', url: '/a?status=201', inFlight: 1 });
    expect(log.only('probe')).toMatchObject({ url: '/probe' });
    await until('the end is recorded', () => log.events('end').length === 1);
    expect(log.only('end')).toMatchObject({ id: 'one', outcome: 'done' });
  });

  test('the start delay is over before the port opens', async (context) => {
    const { log } = await mimic(context, { MIMIC_LISTEN_MS: 400 });
    expect(log.only('listening').at - log.only('boot').at).toBeGreaterThanOrEqual(390);
  });

  test('the port opens with its gate', async (context) => {
    const { port, log, open } = await mimic(context, { MIMIC_LISTEN_GATE: 'port' }, false);
    await until('it has begun', () => log.events('boot').length === 1);
    await expect(request(port)).rejects.toThrow('ECONNREFUSED');
    open('port');
    await until('the port is open', () => log.events('listening').length === 1);
    expect((await request(port)).status).toBe(200);
  });

  test('an answer, and the end of a download, wait for their gate', async (context) => {
    const { port, log, open } = await mimic(context);
    const answer = request(port, { path: '/?gate=answer' });
    const download = request(port, { path: '/download?bytes=1000&gate=end' });
    await until('both are there', () => log.events('begin').length === 2);
    open('answer');
    expect((await answer).status).toBe(200);
    expect(log.events('end').length).toBeLessThanOrEqual(1);
    open('end');
    expect((await download).body.length).toBe(1000);
  });

  test('an open port that is not ready hangs, closes or answers 503 as told', async (context) => {
    const [hanging, closing, refusing, later] = await Promise.all([
      mimic(context, { MIMIC_READY_MS: 'never', MIMIC_BEFORE_READY: 'hang' }),
      mimic(context, { MIMIC_READY_MS: 'never', MIMIC_BEFORE_READY: 'close' }),
      mimic(context, { MIMIC_READY_MS: 'never' }),
      mimic(context, { MIMIC_READY_MS: 500 }),
    ]);
    await expect(request(hanging.port, { timeout: 500 })).rejects.toThrow('no whole answer');
    await expect(request(closing.port)).rejects.toThrow(Disconnected);
    expect((await request(refusing.port)).status).toBe(503);
    expect(refusing.log.only('begin').ready).toBe(false);
    await until('it is ready', () => later.log.events('ready').length === 1);
    expect(later.log.only('ready').at - later.log.only('boot').at).toBeGreaterThanOrEqual(490);
    expect((await request(later.port)).status).toBe(200);
    expect([...hanging.log.events('ready'), ...refusing.log.events('ready')]).toEqual([]);
  });

  test('it exits at start with the code and after the time given', async (context) => {
    const atOnce = await mimic(context, { MIMIC_EXIT_CODE: 7 }, false);
    const later = await mimic(context, { MIMIC_EXIT_CODE: 0, MIMIC_EXIT_MS: 300 });
    expect(await atOnce.exit).toBe(7);
    expect(await later.exit).toBe(0);
    expect(later.log.only('exit').at - later.log.only('boot').at).toBeGreaterThanOrEqual(290);
  });

  test('a start whose port is taken fails, and does not count', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'mimic-'));
    context.onTestFinished(() => rm(folder, { recursive: true }));
    const shared = { MIMIC_LOG: join(folder, 'log') };
    const log = new MimicLog(shared.MIMIC_LOG);
    const { port, child } = await mimic(context, shared, false);
    await until('the port is open', () => log.events('listening').length === 1);
    expect(await (await mimic(context, { ...shared, PORT: port }, false)).exit).toBe(1);
    expect(log.only('boot').pid).toBe(child.pid);
    expect(log.events('exit')).toEqual([]);
  });

  test('the first starts fail, later ones do not', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'mimic-'));
    context.onTestFinished(() => rm(folder, { recursive: true }));
    const settings = { MIMIC_FAIL_FIRST: 2, MIMIC_COUNTER: join(folder, 'count') };
    for (let start = 0; start < 2; start++) expect(await (await mimic(context, settings, false)).exit).toBe(1);
    expect((await request((await mimic(context, settings)).port)).status).toBe(200);
  });

  test('slots make requests wait their turn, and the limit counts what is over it', async (context) => {
    // Whoever has a slot asks this, and goes on when told.
    const asking: Socket[] = [];
    const server = createServer((socket) => asking.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context.onTestFinished(() => void server.close());
    const { port: dependency } = server.address() as { port: number };
    const settings = { MIMIC_SLOTS: 2, MIMIC_LIMIT: 3, MIMIC_DEPENDENCY: `127.0.0.1:${dependency}` };
    const { port, log } = await mimic(context, settings);
    const answers = burst(port, 6);
    await until('all are there', () => log.events('begin').length === 6);
    for (const turn of [2, 3, 4, 5, 6]) {
      await until(`${turn} had a slot`, () => asking.length === turn);
      asking[turn - 2]?.destroy();
    }
    asking[5]?.destroy();
    await answers;
    expect(log.mostInFlight()).toBe(6);
    const stats = JSON.parse((await request(port, { path: '/__mimic/stats' })).body.toString());
    expect(stats).toMatchObject({ requests: 6, maxInFlight: 6, violations: 3, inFlight: 0, waiting: [] });
  });

  test('latency grows with what is in flight', async (context) => {
    const { port, log } = await mimic(context, { MIMIC_LATENCY_MS: 300, MIMIC_LATENCY_PER_MS: 100 });
    await burst(port, 4);
    await until('the ends are recorded', () => log.events('end').length === 4);
    for (const { id, at, inFlight = 1 } of log.events('begin')) {
      const end = log.events('end').find((event) => event.id === id);
      expect((end?.at ?? 0) - at).toBeGreaterThanOrEqual(300 + 100 * (inFlight - 1) - 10);
    }
    expect(log.mostInFlight()).toBeGreaterThan(1);
  });

  test('an error rate fails that share of the requests, evenly', async (context) => {
    const { port } = await mimic(context, { MIMIC_ERROR_RATE: 0.5 });
    const statuses: number[] = [];
    for (let turn = 0; turn < 6; turn++) statuses.push((await request(port)).status);
    expect(statuses).toEqual([200, 500, 200, 500, 200, 500]);
  });

  test('the root and the health page answer with the statuses given', async (context) => {
    const { port } = await mimic(context, { MIMIC_ROOT_STATUS: 404, MIMIC_HEALTH_STATUS: 500 });
    expect((await request(port)).status).toBe(404);
    expect((await request(port, { path: '/health' })).status).toBe(500);
    expect((await request(port, { path: '/api' })).status).toBe(200);
  });

  test('a body comes back byte for byte, or as its digest', async (context) => {
    const { port } = await mimic(context);
    const body = randomBytes(300_000);
    const echo = await request(port, { method: 'POST', path: '/echo', body });
    expect(echo.body.equals(body)).toBe(true);
    const digest = await request(port, { method: 'PUT', path: '/digest', body });
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect(JSON.parse(digest.body.toString())).toEqual({ bytes: 300_000, sha256 });
  });

  test('a download takes as long as told', async (context) => {
    const { port } = await mimic(context);
    const answer = await request(port, { path: '/download?bytes=200001&seconds=0.6' });
    expect(answer.body.length).toBe(200_001);
    expect(took(answer)).toBeGreaterThanOrEqual(590);
  });

  test('chunks come one by one, with a trailer', async (context) => {
    const { port } = await mimic(context);
    const answer = await request(port, { path: '/chunked?chunks=3&every=100' });
    expect(answer.body.toString()).toBe('chunk 0\nchunk 1\nchunk 2\n');
    expect(answer.trailers).toEqual({ 'x-check': 'complete' });
    expect(took(answer)).toBeGreaterThanOrEqual(190);
  });

  test('server-sent events come one by one', async (context) => {
    const { port } = await mimic(context);
    const answer = await request(port, { path: '/sse?count=2&every=50' });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.body.toString()).toBe('id: 0\ndata: event 0\n\nid: 1\ndata: event 1\n\n');
  });

  test('a WebSocket echoes frames in order, of every length', async (context) => {
    const { port, log } = await mimic(context);
    const socket = await WebSocketClient.open(port, 'localhost', '/ws', 'socket');
    const texts = ['a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(65_000), ''];
    await socket.send(...texts);
    for (const text of texts) expect(await socket.next()).toBe(text);
    await socket.close();
    await until('the end is recorded', () => log.events('end').length === 1);
    expect(log.only('end').id).toBe('socket');
  });

  test('it resets the connection before the first byte, once or always', async (context) => {
    const once = await mimic(context, { MIMIC_RESET: 'once' });
    await expect(request(once.port)).rejects.toThrow(Disconnected);
    expect((await request(once.port)).status).toBe(200);
    const always = await mimic(context, { MIMIC_RESET: 'always' });
    for (let turn = 0; turn < 2; turn++) await expect(request(always.port)).rejects.toThrow(Disconnected);
    expect((await fetch(`http://127.0.0.1:${always.port}/`)).status).toBe(200);
  });

  test('it serves on after SIGTERM for the time given, and says so', async (context) => {
    const { port, log, child, exit } = await mimic(context, { MIMIC_TERM_MS: 3000 });
    child.kill('SIGTERM');
    await until('the signal arrives', () => log.events('term').length === 1);
    await request(port, { id: 'late' });
    expect(await exit).toBe(0);
    expect(log.only('begin')).toMatchObject({ id: 'late', dying: true });
    expect(log.only('exit').at - log.only('term').at).toBeGreaterThanOrEqual(2990);
  });

  test('an aborted request is recorded as such', async (context) => {
    const { port, log } = await mimic(context, { MIMIC_LATENCY_MS: 10_000 });
    await expect(request(port, { abortAfter: 100 })).rejects.toThrow();
    await until('the end is recorded', () => log.events('end').length === 1);
    expect(log.only('end').outcome).toBe('aborted');
  });

  test('a client that leaves in the middle of its body does no harm', async (context) => {
    const { port } = await mimic(context);
    const headers = { 'content-length': '1000' };
    const leaving = request(port, { method: 'POST', path: '/echo', body: 'half', headers, abortAfter: 100 });
    await expect(leaving).rejects.toThrow();
    expect((await request(port)).status).toBe(200);
  });

  test('every request waits for the dependency', async (context) => {
    const server = createServer((socket) => socket.once('data', () => setTimeout(() => socket.destroy(), 200)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context.onTestFinished(() => void server.close());
    const address = server.address() as { port: number };
    const { port } = await mimic(context, { MIMIC_DEPENDENCY: `127.0.0.1:${address.port}` });
    const answer = await request(port);
    expect(took(answer)).toBeGreaterThanOrEqual(190);
  });

  test('pipelined requests are answered in order', async (context) => {
    const { port } = await mimic(context);
    const connection = await RawConnection.open(port);
    context.onTestFinished(() => connection.destroy());
    const sent = [];
    for (const path of ['/first', '/second']) sent.push(await connection.send({ path, close: false }));
    for (const [index, url] of ['/first', '/second'].entries()) {
      const answer = await connection.read('GET', sent[index] ?? { id: '', sentAt: 0 });
      expect(JSON.parse(answer.body.toString())).toMatchObject({ url, id: sent[index]?.id });
    }
  });
});
