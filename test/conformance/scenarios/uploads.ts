import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ANSWER_MS, askOwn } from '../harness/lane.ts';
import { answerWithTarget } from '../harness/origin.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play, type StageSettings } from '../harness/stage.ts';

const HEAD = 'POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';
const EARLY = 'HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno';
const hash = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');
/** One host that is served; all others are nobody's. */
const oneHost: StageSettings = { routes: [{ host: 'clean', path: '/', service: 'main' }] };

export const uploads: Scenario[] = [
  ...(['stays', 'closes', 'breaks'] as const).map((then) =>
    scenario(`an answer before the body is there is passed on at once; the origin ${then}`, [45], () =>
      play({}, async ({ sent, origin }) => {
        origin.interrupting = (_head, socket) => {
          socket.write(EARLY);
          if (then === 'closes') socket.end();
          if (then === 'breaks') setImmediate(() => socket.resetAndDestroy());
          return 'done';
        };
        const client = await sent(`${HEAD}half of it`);
        const answer = await client.answer('POST', ANSWER_MS);
        assert.deepEqual([answer?.status, answer?.message.body, answer?.ending], [413, 'no', 'complete']);
        assert.equal(await client.end(ANSWER_MS), 'ended');
        assert.equal(client.rest, '');
      }),
    ),
  ),
  scenario('the rest of a body that was answered early is no request', [45, 'CVE-2025-4366'], () =>
    play({}, async ({ sent, origin }) => {
      origin.interrupting = (_head, socket) => {
        socket.write(EARLY);
        return 'done';
      };
      const client = await sent(`${HEAD}half of it`);
      assert.equal((await client.answer('POST', ANSWER_MS))?.status, 413);
      await client.send('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20));
      assert.equal(await client.end(ANSWER_MS), 'ended');
      assert.equal(client.rest, '');
      assert.deepEqual(origin.take().received, []);
    }),
  ),
  scenario('the connection to an origin that answered early is not used again', [45, 50], () =>
    play({}, async ({ sent, serves, origin }) => {
      let first: unknown;
      origin.interrupting = (_head, socket) => {
        first = socket;
        socket.write(EARLY);
        return 'done';
      };
      const client = await sent(`${HEAD}half of it`);
      assert.equal((await client.answer('POST', ANSWER_MS))?.status, 413);
      let second: unknown;
      origin.answering = (request, socket) => {
        second = socket;
        answerWithTarget(request, socket);
      };
      await serves();
      assert.notEqual(second, first);
    }),
  ),
  scenario('a body behind a request that is answered here is read before the next request', ['CVE-2025-4366'], () =>
    play(oneHost, async ({ sent, origin }) => {
      const inner = 'GET /smuggled HTTP/1.1\r\nHost: clean\r\n\r\n';
      const client = await sent(`POST /c HTTP/1.1\r\nHost: nobody\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`);
      assert.equal((await client.answer('POST', ANSWER_MS))?.status, 404);
      assert.equal(await askOwn(client, 'next', ANSWER_MS), 'own');
      assert.equal(origin.take().received.length, 1);
    }),
  ),
  scenario('a body that is not there when its request is answered here is no request either', ['CVE-2025-4366'], () =>
    play(oneHost, async ({ sent, origin }) => {
      const inner = 'GET /smuggled HTTP/1.1\r\nHost: clean\r\n\r\n';
      const client = await sent(`POST /c HTTP/1.1\r\nHost: nobody\r\nContent-Length: ${inner.length}\r\n\r\n`);
      assert.equal((await client.answer('POST', ANSWER_MS))?.status, 404);
      await client.send(inner);
      assert.equal(await client.end(ANSWER_MS), 'ended');
      assert.equal(client.rest, '');
      assert.deepEqual(origin.take().received, []);
    }),
  ),
  ...(['Content-Length', 'chunks'] as const).map((framing) =>
    scenario(
      `a mebibyte of a body arrives byte for byte, by ${framing}`,
      ['GHSA-v2v2-hph8-q5xp', 'GHSA-6x33-pw7p-hmpq'],
      () =>
        play({}, async ({ sent, origin }) => {
          const body = randomBytes(1024 * 1024).toString('latin1');
          const fields = framing === 'chunks' ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
          const client = await sent(`POST /c HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n`);
          for (let at = 0; at < body.length; at += 100_003) {
            const piece = body.slice(at, at + 100_003);
            await client.send(framing === 'chunks' ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece);
            await sleep(1);
          }
          if (framing === 'chunks') await client.send('0\r\n\r\n');
          assert.equal((await client.answer('POST', ANSWER_MS))?.status, 200);
          assert.equal(hash(origin.take().received[0]?.message.body ?? ''), hash(body));
        }),
    ),
  ),
];
