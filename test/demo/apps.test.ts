import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';

const folder = join(import.meta.dirname, '../../config/demo');
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Echo {
  body: { size: number; encoding: string; text: string };
}

interface Slow {
  ahead: number;
  tookMs: number;
}

const file = (name: string) => join(folder, `${name}.mjs`);

/** Starts a demo service on a port that the kernel chooses. */
async function start(name: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [file(name)], { env: { PORT: '0' }, stdio: 'pipe' });
  running.push(child);
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await until(`${name} listens`, () => output.includes('\n'), undefined, 5);
  const port = /port (\d+)/.exec(output)?.[1];
  return { child, url: `http://127.0.0.1:${port}` };
}

test('hello says which process answers on which port', async () => {
  const { child, url } = await start('hello');
  const answer = await fetch(`${url}/anything`);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe(`Hello from process ${child.pid} on port ${new URL(url).port}.\n`);
});

describe('echo', () => {
  test('returns method, target, headers and a text body', async () => {
    const { url } = await start('echo');
    const answer = await fetch(`${url}/a/b?c=d`, { method: 'PUT', headers: { 'X-Own': '1' }, body: 'grüße' });
    expect(await answer.json()).toMatchObject({
      method: 'PUT',
      url: '/a/b?c=d',
      headers: { 'x-own': '1', 'content-length': '7' },
      body: { size: 7, encoding: 'utf8', text: 'grüße' },
    });
  });

  test('returns what is no text in base64, whole', async () => {
    const { url } = await start('echo');
    const bytes = Buffer.alloc(100_000, 0xff);
    const { body } = (await (await fetch(url, { method: 'POST', body: bytes })).json()) as Echo;
    expect(body).toMatchObject({ size: 100_000, encoding: 'base64' });
    expect(Buffer.from(body.text, 'base64').equals(bytes)).toBe(true);
  });

  test('refuses more than 8 MiB', async () => {
    const { url } = await start('echo');
    const answer = await fetch(url, { method: 'POST', body: Buffer.alloc(8 * 1024 * 1024 + 1) });
    expect(answer.status).toBe(413);
  });
});

test('slow takes longer the more requests come at once', async () => {
  const { url } = await start('slow');
  const answers = await Promise.all(Array.from({ length: 10 }, async () => (await fetch(url)).json() as Promise<Slow>));
  // The first may be answered before the last one has come.
  const last = answers.reduce((a, b) => (b.ahead > a.ahead ? b : a));
  expect(last.ahead).toBeGreaterThan(0);
  for (const { ahead, tookMs } of answers) expect(tookMs).toBeGreaterThanOrEqual(ahead * 20 - 20);
});

test.each(['hello', 'echo', 'slow'])(
  '%s exits in order at SIGTERM although a connection is kept open',
  async (name) => {
    const { child, url } = await start(name);
    await (await fetch(url)).text();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  },
);

test('slow finishes the requests under way before it exits', async () => {
  const { child, url } = await start('slow');
  // In one piece, so that all are under way when the first one is answered.
  const client = connect(Number(new URL(url).port), '127.0.0.1');
  const request = 'GET / HTTP/1.1\r\nHost: slow\r\n';
  client.write(`${`${request}\r\n`.repeat(4)}${request}Connection: close\r\n\r\n`);
  let answers = '';
  client.on('data', (chunk) => {
    answers += chunk;
  });
  await until('the first answer', () => answers.includes('\r\n\r\n'), undefined, 5);
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
  await until('the end of the answers', () => client.readableEnded, undefined, 5);
  expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(5);
});

test('a service of the demo does not outlive whoever started it', async () => {
  const script = `require('node:child_process').spawn(process.execPath, [${JSON.stringify(file('hello'))}], { stdio: 'inherit' })`;
  const env = { PORT: '0', EXIT_WITH_PARENT: '1' };
  const parent = spawn(process.execPath, ['-e', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(parent);
  let output = '';
  let ended = false;
  // The pipe ends when the last process that writes to it ends.
  parent.stdout.on('data', (chunk) => {
    output += chunk;
  });
  parent.stdout.on('end', () => {
    ended = true;
  });
  await until('hello listens', () => output.includes('\n'), undefined, 5);
  parent.kill('SIGKILL');
  await until('hello ended', () => ended);
});
