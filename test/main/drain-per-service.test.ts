import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../support/until.ts';
import { logOf, type Place, place, serve } from './program.ts';

/** Answers `/held` when somebody asks for `/release`, begins `/stream`, takes upgrades, and ends with its parent. */
const APP = `const held = [];
const server = require('node:http').createServer((request, response) => {
  if (request.url === '/held') held.push(response);
  else if (request.url === '/stream') response.write('begun');
  else response.end('at once');
  if (request.url === '/release') for (const one of held.splice(0)) one.end('held');
}).listen(process.env.PORT, '127.0.0.1');
server.on('upgrade', (request, socket) => socket.on('error', () => {}).on('end', () => socket.end()).write(
  'HTTP/1.1 101 Switching Protocols\\r\\nConnection: upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n'));
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 500).unref();`;

const QUICK_MS = 3000;

function service(host: string, drain: string, command = [process.execPath, '-e', APP]): Record<string, unknown> {
  const run = { process: { command, env: { PORT: '{port}' }, stop: { grace: '1s' } } };
  return { routes: [{ host }], run, timeouts: { drain } };
}

/** What one client gets, and how its connection ends. */
class Peer {
  readonly socket: Socket;
  text = '';
  ending: 'open' | 'end' | 'reset' = 'open';
  endedAt = 0;

  constructor({ port }: Place, head: string) {
    this.socket = connect(port, '127.0.0.1', () => this.socket.write(`${head}\r\n\r\n`));
    this.socket.setEncoding('latin1').on('data', (text) => {
      this.text += text;
    });
    this.socket.on('end', () => this.#end('end')).on('error', () => this.#end('reset'));
    onTestFinished(() => void this.socket.destroy());
  }

  #end(how: 'end' | 'reset'): void {
    if (this.ending !== 'open') return;
    this.ending = how;
    this.endedAt = performance.now();
  }

  async gets(text: string): Promise<void> {
    await until(text, () => this.text.includes(text));
  }

  async ends(): Promise<void> {
    await until('the end of a connection', () => this.ending !== 'open');
  }
}

test.each([1, 2])('SIGTERM with %i workers: each service drains by its own limit', async (workers) => {
  const never = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
  const at = await place({
    workers,
    services: {
      quick: service('quick.test', `${QUICK_MS}ms`),
      slow: service('slow.test', '120s'),
      asleep: service('asleep.test', `${QUICK_MS}ms`, never),
    },
  });
  const program = await serve(at);
  const get = (host: string, path: string) => new Peer(at, `GET ${path} HTTP/1.1\r\nHost: ${host}.test`);
  const upgrade = (host: string) =>
    new Peer(at, `GET / HTTP/1.1\r\nHost: ${host}.test\r\nConnection: upgrade\r\nUpgrade: websocket`);
  const idle = Array.from({ length: 10 }, () => get('quick', '/'));
  for (const peer of idle) await peer.gets('at once');
  const [socket, slowSocket] = [upgrade('quick'), upgrade('slow')];
  for (const peer of [socket, slowSocket]) await peer.gets('101');
  const stream = get('quick', '/stream');
  await stream.gets('begun');
  const waiting = Array.from({ length: 3 }, () => get('asleep', '/'));
  const [slow, stuck] = [get('slow', '/held'), get('quick', '/held')];
  await until('all under way', async () => {
    const services = (await (await fetch(`${at.admin}/v1/services`)).json()) as { inFlight: number; held: number }[];
    return services.map(({ inFlight, held }) => inFlight + held).join() === '3,3,2';
  });

  const began = performance.now();
  program.child.kill('SIGTERM');
  // Idle connections at once, then what the quick ones have, never the slow one's.
  for (const peer of idle) await peer.ends();
  for (const peer of waiting) await peer.gets('DRAINING');
  for (const peer of waiting) expect(peer.text).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: \d+\r\n/s);
  await stuck.gets('DRAIN_OVER');
  for (const peer of [socket, stream]) await peer.ends();
  expect(Math.max(...idle.map(({ endedAt }) => endedAt))).toBeLessThan(socket.endedAt);
  expect(socket.ending).toBe('end');
  expect(socket.endedAt - began).toBeGreaterThanOrEqual(QUICK_MS - 20);
  for (const { endedAt } of idle) expect(endedAt).toBeLessThan(socket.endedAt);
  expect(slowSocket.ending).toBe('open');
  expect(slow.text).toBe('');

  const lines = () => logOf(program).filter(({ msg }) => String(msg).startsWith('the drain of '));
  const sum = (name: string, field: string) =>
    lines()
      .filter((line) => line['service'] === name)
      .reduce((total, line) => total + Number(line[field]), 0);
  const sums = () => [sum('quick', 'cut'), sum('quick', 'tunnels'), sum('asleep', 'refused')].join();
  // Every worker tells of its own.
  await until('what was cut to be told', () => sums() === '2,1,3');
  expect(lines().find(({ msg }) => String(msg).includes('the drain of quick is over'))?.['msg']).toMatch(/ s old$/);
  expect(sum('slow', 'cut')).toBe(0);
  slow.socket.destroy();
  slowSocket.socket.destroy();
  expect(await program.exit).toBe(0);
});
