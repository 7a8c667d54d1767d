import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { demoService, logOf, pilotlight, place, serve } from './program.ts';

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

/** Answers a request for `/late` after 3 s, any other at once. */
const LATE = `require('node:http').createServer((request, response) => {
  setTimeout(() => response.end('late'), request.url === '/late' ? 3000 : 0);
}).listen(process.env.PORT, '127.0.0.1')`;

test('SIGTERM turns readiness off, takes no new connections and lets what is under way finish', async () => {
  const run = { process: { command: [process.execPath, '-e', LATE], env: { PORT: '{port}' } } };
  const late = { routes: [{ path: '/' }], run, timeouts: { drain: '10s' } };
  const at = await place({ services: { late } });
  const program = await serve(at);
  await (await fetch(`${at.url}/warm-up`)).text();
  const underWay = Promise.allSettled(Array.from({ length: 8 }, () => fetch(`${at.url}/late`)));
  await until('under way', async () => {
    const [service] = (await (await fetch(`${at.admin}/v1/services`)).json()) as { inFlight: number }[];
    return service?.inFlight === 8;
  });
  program.child.kill('SIGTERM');
  await until('readiness off', async () => (await fetch(`${at.admin}/readyz`)).status === 503, 5_000, 5);
  const refused = () =>
    fetch(`${at.url}/another`).then(
      () => false,
      () => true,
    );
  await until('no new connections', refused, 5_000, 5);
  const answers = await underWay;
  expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.status : answer.reason))).toEqual(
    Array.from({ length: 8 }, () => 200),
  );
  expect(await program.exit).toBe(0);
});

test('a drain ends at its limit although a client does not', async () => {
  const at = await place({ services: { slow: demoService('slow', { timeouts: { drain: '1s' } }) } });
  const program = await serve(at);
  await fetch(`${at.url}/slow`);
  const stuck = new ReadableStream({ pull: () => pause(60_000, undefined, { ref: false }) });
  const request = fetch(`${at.url}/slow`, { method: 'POST', body: stuck, duplex: 'half' } as RequestInit).catch(
    () => 'cut',
  );
  await pause(300);
  const began = performance.now();
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  expect(performance.now() - began).toBeLessThan(15_000);
  await request;
});

test('a second SIGINT exits at once', async () => {
  const at = await place({ services: { slow: demoService('slow', { timeouts: { drain: '60s' } }) } });
  const program = await serve(at);
  await fetch(`${at.url}/slow`);
  const load = Array.from({ length: 400 }, () => fetch(`${at.url}/slow`).catch(() => undefined));
  await pause(200);
  program.child.kill('SIGINT');
  await until('draining', async () => (await fetch(`${at.admin}/readyz`)).status === 503, 5_000, 5);
  await pause(400);
  const began = performance.now();
  program.child.kill('SIGINT');
  expect(await program.exit).toBe(1);
  expect(performance.now() - began).toBeLessThan(2500);
  await Promise.all(load);
});

test('SIGTERM right after the start ends it in order', async () => {
  const at = await place();
  const program = pilotlight(['run', '-c', at.file]);
  await until(
    'admin answers',
    async () => (await fetch(`${at.admin}/healthz`).catch(() => undefined))?.ok === true,
    20_000,
    2,
  );
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  await (await serve(at)).child.kill('SIGTERM');
});
