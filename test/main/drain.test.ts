import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ServiceStatus } from '../../src/model/status.ts';
import { until } from '../support/until.ts';
import { logOf, type Place, pilotlight, place, serve } from './program.ts';

async function pidOf(url: string): Promise<number> {
  const text = await (await fetch(url)).text();
  return Number(/process (\d+)/.exec(text)?.[1]);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a cold request is answered; SIGTERM stops the replica and exits 0', async () => {
  const at = await place();
  const program = await serve(at);
  const answer = await fetch(`${at.url}/hello`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-cold-start')).toBe('1');
  const pid = await pidOf(`${at.url}/hello`);
  expect(lives(pid)).toBe(true);
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  expect(lives(pid)).toBe(false);
  expect(logOf(program).filter(({ level }) => level === 'error')).toEqual([]);
  await expect(fetch(`${at.url}/hello`)).rejects.toThrow();
});

/** Keeps requests for `/held` until one for `/release` comes, answers others at once, and ends with its parent. */
const HOLDING = `const held = [];
require('node:http').createServer((request, response) => {
  if (request.url === '/held') held.push(response);
  else response.end('at once');
  if (request.url === '/release') for (const one of held.splice(0)) one.end('held');
}).listen(process.env.PORT, '127.0.0.1');
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 500).unref();`;

/** A place for one service that holds requests. */
function holdingPlace(drain: string): Promise<Place> {
  const run = { process: { command: [process.execPath, '-e', HOLDING], env: { PORT: '{port}' } } };
  return place({ services: { holding: { routes: [{ path: '/' }], run, timeouts: { drain } } } });
}

/** Waits until so many requests are with the service; returns the address of its replica. */
async function inFlight(at: Place, count: number): Promise<string> {
  let address: string | null | undefined;
  await until(`${count} in flight`, async () => {
    const [service] = (await (await fetch(`${at.admin}/v1/services`)).json()) as ServiceStatus[];
    address = service?.replicas[0]?.address;
    return service?.inFlight === count;
  });
  return `http://${address}`;
}

const isDraining = (at: Place) => async () => (await fetch(`${at.admin}/readyz`)).status === 503;

test('SIGTERM turns readiness off, takes no new connections and lets what is under way finish', async () => {
  const at = await holdingPlace('120s');
  const program = await serve(at);
  await (await fetch(`${at.url}/warm-up`)).text();
  const underWay = Promise.allSettled(Array.from({ length: 8 }, () => fetch(`${at.url}/held`)));
  const replica = await inFlight(at, 8);
  program.child.kill('SIGTERM');
  await until('readiness off', isDraining(at));
  const refused = () =>
    fetch(`${at.url}/another`).then(
      () => false,
      () => true,
    );
  await until('no new connections', refused);
  await fetch(`${replica}/release`);
  const answers = await underWay;
  expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.status : answer.reason))).toEqual(
    Array.from({ length: 8 }, () => 200),
  );
  expect(await program.exit).toBe(0);
});

test('a drain ends at its limit although a client does not', async () => {
  const at = await holdingPlace('1s');
  const program = await serve(at);
  await (await fetch(`${at.url}/warm-up`)).text();
  const stuck = new ReadableStream({
    start: (body) => body.enqueue(Buffer.from('a beginning')),
    pull: () => pause(120_000, undefined, { ref: false }),
  });
  const request = fetch(`${at.url}/held`, { method: 'POST', body: stuck, duplex: 'half' } as RequestInit).catch(
    () => 'cut',
  );
  await inFlight(at, 1);
  const began = performance.now();
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  const tookMs = performance.now() - began;
  expect(tookMs).toBeGreaterThanOrEqual(1000);
  // The client would go on for two minutes.
  expect(tookMs).toBeLessThan(60_000);
  await request;
});

test('a second SIGINT exits at once', async () => {
  const at = await holdingPlace('120s');
  const program = await serve(at);
  const load = Array.from({ length: 20 }, () => fetch(`${at.url}/held`).catch(() => undefined));
  await inFlight(at, 20);
  program.child.kill('SIGINT');
  await until('draining', isDraining(at));
  // One that comes sooner than 300 ms after the first is taken for the same.
  await pause(400);
  const began = performance.now();
  program.child.kill('SIGINT');
  expect(await program.exit).toBe(1);
  // The drain would go on for two minutes.
  expect(performance.now() - began).toBeLessThan(60_000);
  await Promise.all(load);
});

test('SIGTERM right after the start ends it in order', async () => {
  const at = await place();
  const program = pilotlight(['run', '-c', at.file]);
  await until(
    'admin answers',
    async () => (await fetch(`${at.admin}/healthz`).catch(() => undefined))?.ok === true,
    60_000,
    2,
  );
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  await (await serve(at)).child.kill('SIGTERM');
});
