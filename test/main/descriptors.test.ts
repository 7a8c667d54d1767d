import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../support/until.ts';
import { logOf, type Place, type Program, place, serve } from './program.ts';

const FILES = 256;

/** An upstream that answers at once, on every loopback address. @returns its port */
async function upstream(): Promise<number> {
  const server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A place for one service at so many addresses. */
async function placeFor(addresses: number, changes: Record<string, unknown> = {}): Promise<Place> {
  const port = await upstream();
  const list = Array.from({ length: addresses }, (_, index) => `127.0.0.${index + 1}:${port}`);
  const shop = { routes: [{ path: '/' }], endpoints: { static: list }, balance: 'round-robin' };
  return place({ services: { shop }, ...changes });
}

/** A connection of a client, and all that it is sent. */
class Peer {
  text = '';
  over = false;
  #wake: () => void = () => undefined;
  readonly #socket;

  constructor({ port }: Place) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setEncoding('latin1').on('data', (text) => {
      this.text += text;
      this.#wake();
    });
    for (const event of ['error', 'end']) {
      this.#socket.on(event, () => {
        this.over = true;
        this.#wake();
      });
    }
    onTestFinished(() => void this.#socket.destroy());
  }

  /** Asks, and waits for the answer or the end. */
  async ask(): Promise<string> {
    this.text = '';
    this.#socket.write('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    while (!this.over && !this.text.includes('\r\n\r\n')) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.text;
  }
}

const isReady = async ({ admin }: Place) => (await fetch(`${admin}/readyz`)).status === 200;

test('more clients than there are descriptors for are told so; the others, services and the admin API have theirs', async () => {
  const at = await placeFor(1);
  const program = await serve(at, [], { files: FILES });
  expect(logOf(program).find(({ limit }) => limit === FILES)?.['msg']).toContain('LimitNOFILE=');
  const peers = Array.from({ length: 400 }, () => new Peer(at));
  const answers = await Promise.all(peers.map((peer) => peer.ask()));
  const count = (start: string) => answers.filter((answer) => answer.startsWith(start)).length;
  // One each in all descriptors but those kept back, and as many for their connections to the service.
  expect(count('HTTP/1.1 200')).toBeGreaterThan(60);
  expect(count('HTTP/1.1 502') + count('HTTP/1.1 504')).toBe(0);
  expect(answers.every((answer) => !answer.startsWith('HTTP/1.1 503') || answer.includes('CONNECTION_LIMIT'))).toBe(
    true,
  );
  expect(await isReady(at)).toBe(true);
  expect(logOf(program).filter(({ level }) => level === 'error')).toEqual([]);
});

test('idle connections to services make room for others when the descriptors are used up', async () => {
  const at = await placeFor(240);
  const program = await serve(at, [], { files: FILES });
  const peer = new Peer(at);
  for (let asked = 0; asked < 480; asked++) expect(await peer.ask()).toMatch(/^HTTP\/1\.1 200/);
  expect(await isReady(at)).toBe(true);
  // None on a machine that is so slow that they were closed for their age.
  expect(logOf(program).filter(({ code }) => code === 'EMFILE').length).toBeLessThanOrEqual(1);
});

test.each([1, 2])(
  'without a descriptor left a request is refused for our own want, and no endpoint is judged, with %i workers',
  async (workers) => {
    const at = await placeFor(1, { workers });
    const program = await serve(at, [], { files: FILES });
    const pids = workers === 1 ? [program.child.pid as number] : childrenOf(program);
    const limit = (files: number) => {
      for (const pid of pids) execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}:`]);
    };
    const peers = Array.from({ length: 20 }, () => new Peer(at));
    await until('accepted', async () => (await connections(at)) === 20);
    // Those that are open stay so.
    limit(3);
    for (const peer of peers) {
      const answer = await peer.ask();
      expect(answer).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: \d+\r\n/s);
      expect(answer).toContain('OUT_OF_RESOURCES');
    }
    limit(FILES);
    for (const peer of peers) expect(await peer.ask()).toMatch(/^HTTP\/1\.1 200/);
    const lines = logOf(program).filter(({ code }) => code === 'EMFILE');
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThanOrEqual(workers);
    expect(lines[0]?.['msg']).toContain(`no file descriptor left of ${FILES}`);
    expect(logOf(program).filter(({ msg }) => /ejected|unhealthy/.test(String(msg)))).toEqual([]);
  },
);

function childrenOf({ child }: Program): number[] {
  return execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
}

/** Open client connections, as far as reported. */
async function connections({ admin }: Place): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(/^pilotlight_connections(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1]);
}
