import assert from 'node:assert/strict';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { ANSWER_MS, askOwn } from '../harness/lane.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play, type Stage } from '../harness/stage.ts';

/** Long enough for what was written in this process to be read in it: others write and are answered meanwhile. */
async function turn({ serves }: Stage): Promise<void> {
  for (let at = 0; at < 2; at++) await serves();
}

/** Whether the origin has the beginning of a request, up to this. */
function hasBegun({ origin }: Stage, end: string): boolean {
  return origin.take().unfinished.some((text) => text.endsWith(end));
}

const fields = (count: number): string => Array.from({ length: count }, (_, index) => `X-${index}: 1\r\n`).join('');
/** A head of exactly so many bytes, the last empty line not counted. */
const headOf = (bytes: number): string => {
  const start = 'GET /c HTTP/1.1\r\nHost: a\r\nX: ';
  return `${start}${'a'.repeat(bytes - start.length - 2)}\r\n\r\n`;
};

/** What a limit makes of this: the status, and whether the connection is closed. */
async function outcome(stage: Stage, text: string): Promise<string> {
  const client = await stage.sent(text);
  const answer = await client.answer('GET', ANSWER_MS);
  if (answer?.status === 200) return (await askOwn(client, 'next', ANSWER_MS)) === 'own' ? '200 open' : '200';
  return `${answer?.status} ${await client.end(ANSWER_MS)}`;
}

/** A row of the size limits, with the defaults. */
function size(name: string, lines: (number | string)[], text: string, expected: string): Scenario {
  return scenario(name, lines, () =>
    play({}, async (stage) => {
      assert.equal(await outcome(stage, text), expected);
      if (!expected.startsWith('200')) assert.deepEqual(stage.origin.take().received, []);
    }),
  );
}

/** A stage whose time only passes as told. */
function timed(
  name: string,
  lines: (number | string)[],
  scene: (stage: Stage, clock: VirtualClock) => Promise<void>,
): Scenario {
  return scenario(name, lines, () => {
    const clock = new VirtualClock();
    clock.advance(1000);
    const timeouts = { headMs: 10_000, bodyMs: 30_000, keepAliveMs: 75_000, sendMs: 60_000 };
    return play({ clock, timeouts }, (stage) => scene(stage, clock));
  });
}

export const limits: Scenario[] = [
  size('a head of 32 KiB is served', [51], headOf(32 * 1024), '200 open'),
  size('a head of more than 32 KiB is 431', [51], headOf(32 * 1024 + 1), '431 ended'),
  size('a head that never ends is 431', [51], headOf(40 * 1024).slice(0, -4), '431 ended'),
  size('100 fields are served', [51], `GET /c HTTP/1.1\r\nHost: a\r\n${fields(99)}\r\n`, '200 open'),
  size('101 fields are 431', [51], `GET /c HTTP/1.1\r\nHost: a\r\n${fields(100)}\r\n`, '431 ended'),
  size(
    'a target of more than 8 KiB is 414',
    [51],
    `GET /${'a'.repeat(8 * 1024)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    '414 ended',
  ),
  size('a request line that never ends is 414', [51], `GET /${'a'.repeat(33 * 1024)}`, '414 ended'),
  size('a method that never ends is refused', [51], 'A'.repeat(33 * 1024), '414 ended'),

  timed('a head that comes byte by byte is 408 when its time is over', [52, 'caddy-7913'], async (stage, clock) => {
    const client = await stage.sent('G');
    await until('it is known', async () => (await stage.edge.connections()) === 1, ANSWER_MS, 2);
    await turn(stage);
    for (const byte of 'ET /c HTT') {
      clock.advance(1000);
      await client.send(byte);
      await turn(stage);
      assert.equal(client.state, 'open');
    }
    assert.equal(client.rest, '');
    clock.advance(1200);
    assert.equal((await client.answer('GET', ANSWER_MS))?.status, 408);
    assert.equal(await client.end(ANSWER_MS), 'ended');
  }),
  timed(
    'a client that sends nothing at all is let go in the time of a head',
    [52, 'caddy-7913'],
    async (stage, clock) => {
      const client = await stage.client();
      await until('it is known', async () => (await stage.edge.connections()) === 1, ANSWER_MS, 2);
      clock.advance(9_900);
      await turn(stage);
      assert.equal(client.state, 'open');
      clock.advance(400);
      assert.equal(await client.end(ANSWER_MS), 'ended');
      assert.equal(client.rest, '');
    },
  ),
  timed('a body that stops is 408, one that goes on slowly is not', [52, 'caddy-7913'], async (stage, clock) => {
    const client = await stage.sent('POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n-');
    await until('its beginning is there', () => hasBegun(stage, '-'), ANSWER_MS, 2);
    for (const byte of 'abcde') {
      clock.advance(25_000);
      await client.send(byte);
      await until('the byte is there', () => hasBegun(stage, byte), ANSWER_MS, 2);
      assert.equal(client.rest, '');
    }
    clock.advance(30_500);
    assert.equal((await client.answer('POST', ANSWER_MS))?.status, 408);
    assert.equal(await client.end(ANSWER_MS), 'ended');
    assert.deepEqual(stage.origin.take().received, []);
  }),
  timed('a client that takes nothing of its answer is cut off', [52, 'caddy-7913'], async (stage, clock) => {
    const [size, piece] = [32 * 1024 * 1024, 'x'.repeat(64 * 1024)];
    let taken = 0;
    stage.origin.answering = (_request, socket) => {
      const pump = () => {
        taken += piece.length;
        if (taken < size) socket.write(piece, 'latin1', pump);
      };
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${piece}`, 'latin1', pump);
    };
    const client = await stage.client();
    client.socket.pause();
    await client.send('GET /c HTTP/1.1\r\nHost: a\r\n\r\n');
    let before = 0;
    const stuck = () => {
      const moved = taken !== before;
      before = taken;
      return taken > 0 && !moved;
    };
    await until('nothing moves any more', stuck, ANSWER_MS, 200);
    assert.ok(taken < size);
    for (let at = 0; at < 90 && (await stage.edge.connections()) > 0; at++) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('it is cut off', async () => (await stage.edge.connections()) === 0, ANSWER_MS, 2);
    client.socket.resume();
    assert.equal((await client.answer('GET', ANSWER_MS))?.ending ?? 'truncated', 'truncated');
  }),
  timed(
    'a connection that was kept is closed without a word when nobody uses it, an empty line or not',
    [52],
    async (stage, clock) => {
      const client = await stage.client();
      assert.equal(await askOwn(client, 'first', ANSWER_MS), 'own');
      await client.send('\r\n');
      await turn(stage);
      clock.advance(74_000);
      await turn(stage);
      assert.equal(client.state, 'open');
      clock.advance(1_500);
      assert.equal(await client.end(ANSWER_MS), 'ended');
      assert.equal(client.rest, '');
    },
  ),
  scenario('two thousand idle connections have no timers of their own', [53], () =>
    play({}, async (stage) => {
      const first = await stage.client();
      assert.equal(await askOwn(first, 'first', ANSWER_MS), 'own');
      const few = stage.edge.timers();
      const clients = await Promise.all(Array.from({ length: 2000 }, () => stage.client()));
      for (const client of clients.slice(0, 200)) assert.equal(await askOwn(client, 'once', ANSWER_MS), 'own');
      await until('all are known', async () => (await stage.edge.connections()) === 2001, ANSWER_MS, 5);
      assert.equal(stage.edge.timers(), few);
    }),
  ),
];
