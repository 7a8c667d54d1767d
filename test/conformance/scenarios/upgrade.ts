import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import { ANSWER_MS } from '../harness/lane.ts';
import { valuesOf } from '../harness/message.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play, type Stage } from '../harness/stage.ts';

const ASK = 'GET /c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n';

interface FarEnd {
  /** The origin's socket, once a request is there. */
  socket: Promise<Socket>;
  /** What came on it behind the request. */
  text: () => string;
}

/** Lets the origin hand out its socket instead of answering. */
function takeOver({ origin }: Stage): FarEnd {
  let text = '';
  const socket = new Promise<Socket>((resolve) => {
    origin.answering = async (_request, raw) => {
      raw.removeAllListeners('data');
      raw.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
      });
      resolve(raw);
      await new Promise(() => undefined);
    };
  });
  return { socket, text: () => text };
}

export const upgrade: Scenario[] = [
  scenario('after 101 bytes pass both ways, unchanged', [41], () =>
    play({}, async (stage) => {
      const far = takeOver(stage);
      const client = await stage.sent(ASK);
      const socket = await far.socket;
      socket.write(`${SWITCH}early`, 'latin1');
      const answer = await client.answer('GET', ANSWER_MS);
      assert.equal(answer?.status, 101);
      assert.deepEqual(valuesOf(answer?.message.fields ?? [], 'upgrade'), ['foo']);
      assert.equal(await client.bytes(5, ANSWER_MS), 'early');
      const odd = 'GET /x HTTP/1.1\r\n\r\n\0\r\n\xff';
      await client.send(odd);
      await until('the bytes are there', () => far.text() === odd, ANSWER_MS, 2);
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      assert.equal(await client.bytes(19, ANSWER_MS), 'HTTP/1.1 200 OK\r\n\r\n');
      client.socket.end();
      await until('the client’s end is passed on', () => socket.readableEnded, ANSWER_MS, 2);
      socket.end('last');
      assert.equal(await client.bytes(4, ANSWER_MS), 'last');
      assert.equal(await client.end(ANSWER_MS), 'ended');
    }),
  ),
  scenario('bytes behind the request wait for the 101', [41, 'CVE-2026-2833'], () =>
    play({}, async (stage) => {
      const far = takeOver(stage);
      const client = await stage.sent(`${ASK}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
      const socket = await far.socket;
      await sleep(30);
      assert.equal(far.text(), '', 'bytes reached the origin before it switched');
      socket.write(SWITCH);
      assert.equal((await client.answer('GET', ANSWER_MS))?.status, 101);
      await until('they are there now', () => far.text().startsWith('GET /smuggled'), ANSWER_MS, 2);
    }),
  ),
  scenario('a 101 before the request’s body is there is refused', [41], () =>
    play({}, async ({ sent, origin }) => {
      origin.interrupting = (_head, socket) => {
        socket.write(SWITCH);
        return 'done';
      };
      const client = await sent(ASK.replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 5\r\n\r\nhe'));
      assert.equal((await client.answer('POST', ANSWER_MS))?.status, 502);
      assert.equal(await client.end(ANSWER_MS), 'ended');
    }),
  ),
  scenario('the end of a tunnel’s client ends the origin’s side', [41, 46], () =>
    play({}, async (stage) => {
      const far = takeOver(stage);
      const client = await stage.sent(ASK);
      const socket = await far.socket;
      socket.write(SWITCH);
      await client.answer('GET', ANSWER_MS);
      client.socket.resetAndDestroy();
      await until('the origin’s side has ended', () => socket.readableEnded || socket.destroyed, ANSWER_MS, 2);
    }),
  ),
  scenario('the end of a tunnel’s origin ends the client’s side', [41, 46], () =>
    play({}, async (stage) => {
      const far = takeOver(stage);
      const client = await stage.sent(ASK);
      const socket = await far.socket;
      socket.write(SWITCH);
      await client.answer('GET', ANSWER_MS);
      socket.resetAndDestroy();
      assert.notEqual(await client.end(ANSWER_MS), 'open');
    }),
  ),
];
