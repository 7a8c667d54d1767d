import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ControlMessage, EdgeMessage } from '../../src/model/link.ts';
import { silentLogger } from '../../src/model/observe.ts';
import type { ChannelEnd } from '../../src/util/channel.ts';
import { type Clock, systemClock } from '../../src/util/clock.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';
import { WorkerPool } from '../../src/workers/worker-pool.ts';
import { freePort } from '../support/free-port.ts';
import { listenSettings } from '../support/listen-settings.ts';
import { until } from '../support/until.ts';

const ENTRY = join(import.meta.dirname, 'stub-worker.ts');
const TABLE: ControlMessage = {
  type: 'table',
  version: 1,
  table: { routes: [], services: [], trustedProxies: [], heldBytes: 2 },
  states: [],
};

interface Attached {
  edge: string;
  link: ChannelEnd<EdgeMessage, ControlMessage>;
  end: () => void;
}

/** A pool of two stubs; `attached` are those that the control plane got, in order. */
function pool({ accessLogFile, clock = systemClock }: { accessLogFile?: string; clock?: Clock } = {}) {
  const attached: Attached[] = [];
  const said: EdgeMessage[] = [];
  const workers = new WorkerPool({
    count: 2,
    entry: ENTRY,
    flags: process.execArgv,
    logLevel: 'silent',
    logFormat: 'json',
    accessLog: accessLogFile === undefined ? undefined : { file: accessLogFile, format: 'json' },
    clock,
    logger: silentLogger,
    attach: (edge, link, end) => {
      attached.push({ edge, link, end });
      link.onMessage((message) => void (message.type === 'probed' && said.push(message)));
      link.post(TABLE);
    },
  });
  onTestFinished(() => workers.close());
  return { workers, attached, said };
}

function say(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** Who answers, over so many connections. */
async function whoAnswers(port: number, count = 40): Promise<Set<string>> {
  return new Set(await Promise.all(Array.from({ length: count }, () => say(port, 'who'))));
}

test('every worker gets the link, and connections of a port that all share', async () => {
  const { workers, attached, said } = pool();
  await workers.begin();
  expect(attached.map(({ edge }) => edge)).toEqual(['worker-1', 'worker-2']);
  await until('both answered', () => said.length === 2);
  const [address] = await workers.listen([listenSettings()]);
  expect((await whoAnswers(address?.port ?? 0)).size).toBe(2);
});

test('a worker that ends is replaced under its name; connections wait for it, none is refused', async () => {
  const { workers, attached } = pool();
  await workers.begin();
  const [{ port } = { port: 0 }] = await workers.listen([listenSettings()]);
  const before = await whoAnswers(port);
  let gone = '';
  attached[0]?.link.onClose(() => {
    gone = attached[0]?.edge ?? '';
  });
  attached[0]?.end();
  await until('its link closes', () => gone === 'worker-1');
  const after = await whoAnswers(port);
  expect(attached.map(({ edge }) => edge)).toEqual(['worker-1', 'worker-2', 'worker-1']);
  expect(after.size).toBe(2);
  expect([...after].filter((who) => before.has(who))).toHaveLength(1);
});

test('a worker that has nothing to say because it boots is left the time for it', async () => {
  const clock = new VirtualClock();
  const { workers, attached } = pool({ clock });
  await workers.begin();
  const [{ port } = { port: 0 }] = await workers.listen([listenSettings()]);
  const count = (name: string) => attached.filter(({ edge }) => edge === name).length;
  const replaced = (name: string) =>
    until(`${name} is replaced`, () => {
      clock.advance(10);
      return count(name) === 2;
    });
  attached[0]?.end();
  await replaced('worker-1');
  for (let second = 0; second < 30; second++) clock.advance(1000);
  // The other one, which serves, was silent for as long.
  await replaced('worker-2');
  expect((await whoAnswers(port)).size).toBe(2);
  expect(count('worker-1')).toBe(2);
});

test('an address in use is refused, and nothing changes', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const taken = other.address() as { port: number };
  const { workers } = pool();
  await workers.begin();
  const free = listenSettings();
  const [{ port } = { port: 0 }] = await workers.listen([free]);
  const wrong = listenSettings({}, { host: '127.0.0.1', port: taken.port });
  await expect(workers.listen([free, wrong])).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  expect((await whoAnswers(port)).size).toBe(2);
});

test('two proxies cannot share a port without noticing', async () => {
  const { workers } = pool();
  await workers.begin();
  const [address] = await workers.listen([listenSettings()]);
  const { workers: others } = pool();
  await others.begin();
  const same = listenSettings({}, { host: '127.0.0.1', port: address?.port ?? 0 });
  await expect(others.listen([same])).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
});

test('a worker that cannot be made breaks the boot off, with its reason', async () => {
  const { workers } = pool({ accessLogFile: '/cannot/be/opened' });
  await expect(workers.begin()).rejects.toThrow('no such file');
});

test('a drain that begins while listeners are being opened leaves none open', async () => {
  const { workers } = pool();
  await workers.begin();
  await workers.listen([listenSettings()]);
  const late = workers.listen([listenSettings(), listenSettings({}, { host: '127.0.0.1', port: await freePort() })]);
  const drained = workers.drain(1000, false);
  await expect(late).rejects.toMatchObject({ code: 'CANCELLED' });
  await drained;
  expect(workers.sockets).toEqual([]);
});

test('drained, nothing is accepted any more; closed, the links close', async () => {
  const { workers, attached } = pool();
  await workers.begin();
  const [{ port } = { port: 0 }] = await workers.listen([listenSettings()]);
  await workers.drain(1000, false);
  await expect(say(port, 'who')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  let closed = 0;
  for (const { link } of attached) link.onClose(() => closed++);
  await workers.close();
  expect(closed).toBe(2);
  expect(attached).toHaveLength(2);
});
