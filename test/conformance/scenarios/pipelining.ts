import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../harness/client.ts';
import { ANSWER_MS, askOwn } from '../harness/lane.ts';
import { answerWithTarget } from '../harness/origin.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play } from '../harness/stage.ts';

const get = (target: string, ...fields: string[]): string =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields.map((each) => `${each}\r\n`).join('')}\r\n`;

/** Reads answers until the connection ends or so many are there; each as `status body`, of errors only the status. */
async function answers(client: Client, count: number): Promise<string[]> {
  const got: string[] = [];
  while (got.length < count) {
    const answer = await client.answer('GET', ANSWER_MS);
    if (answer === undefined) break;
    got.push(answer.status === 200 ? `200 ${answer.message.body}` : String(answer.status));
  }
  return got;
}

export const pipelining: Scenario[] = [
  scenario('an empty line behind the last request, then the end, is no broken request', [28], () =>
    play({}, async ({ sent }) => {
      const client = await sent(`${get('/1')}\r\n`);
      assert.deepEqual(await answers(client, 1), ['200 /1']);
      client.socket.end();
      assert.equal(await client.end(ANSWER_MS), 'ended');
      assert.equal(client.rest, '');
    }),
  ),
  scenario('a slow first answer comes before a quick second one', [48], () =>
    play({}, async ({ sent, origin }) => {
      origin.answering = async (request, socket) => {
        if (request.target === '/slow') await sleep(50);
        answerWithTarget(request, socket);
      };
      const client = await sent(get('/slow') + get('/quick'));
      assert.deepEqual(await answers(client, 2), ['200 /slow', '200 /quick']);
      assert.equal(await askOwn(client, 'next', ANSWER_MS), 'own');
    }),
  ),
  scenario('five hundred requests in one write are answered in order', [48], () =>
    play({}, async ({ sent }) => {
      const targets = Array.from({ length: 500 }, (_, index) => `/${index}`);
      const client = await sent(targets.map((target) => get(target, `X-Pad: ${'a'.repeat(200)}`)).join(''));
      assert.deepEqual(
        await answers(client, 500),
        targets.map((target) => `200 ${target}`),
      );
    }),
  ),
  scenario('a malformed request does not harm those before it', [48], () =>
    play({}, async ({ sent, reached }) => {
      const client = await sent(`${get('/1')}${get('/2')}GET /3 HTTP/1.1\r\nHost: a b\r\n\r\n${get('/4')}`);
      assert.deepEqual(await answers(client, 9), ['200 /1', '200 /2', '400']);
      assert.equal(await client.end(ANSWER_MS), 'ended');
      assert.deepEqual(await reached(2), ['GET /1 HTTP/1.1', 'GET /2 HTTP/1.1']);
    }),
  ),
  scenario('a request whose body is broken ends the connection behind those before it', [48, 11], () =>
    play({}, async ({ sent, origin }) => {
      const broken = 'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n';
      const client = await sent(get('/1') + broken + get('/3'));
      assert.deepEqual(await answers(client, 9), ['200 /1', '400']);
      assert.equal(await client.end(ANSWER_MS), 'ended');
      assert.equal(origin.take().received.length, 1);
    }),
  ),
  scenario('an answer of the origin that breaks off is the last on its connection', [17, 48], () =>
    play({}, async ({ sent, origin }) => {
      origin.answering = (request, socket) => {
        if (request.target !== '/2') return answerWithTarget(request, socket);
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
      };
      const client = await sent(get('/1') + get('/2') + get('/3'));
      assert.deepEqual(await answers(client, 1), ['200 /1']);
      const second = await client.answer('GET', ANSWER_MS);
      assert.equal(second?.ending, 'truncated');
      assert.notEqual(await client.end(ANSWER_MS), 'open');
      assert.equal(client.rest, '');
    }),
  ),
  scenario('nothing behind Connection: close is served', [48, 49], () =>
    play({}, async ({ sent, origin }) => {
      const client = await sent(get('/1', 'Connection: close') + get('/2'));
      assert.deepEqual(await answers(client, 9), ['200 /1']);
      assert.equal(await client.end(ANSWER_MS), 'ended');
      assert.deepEqual(
        origin.take().received.map(({ target }) => target),
        ['/1'],
      );
    }),
  ),
  scenario('nothing behind a request of HTTP/1.0 is served', [48, 49], () =>
    play({}, async ({ sent, origin }) => {
      const client = await sent(`GET /1 HTTP/1.0\r\nHost: a\r\n\r\n${get('/2')}`);
      assert.deepEqual(await answers(client, 9), ['200 /1']);
      assert.equal(origin.take().received.length, 1);
    }),
  ),
  scenario('an origin that closes after each answer does not end the client’s connection', [48, 49], () =>
    play({}, async ({ sent, origin }) => {
      origin.answering = ({ target }, socket) => {
        socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${target.length}\r\n\r\n${target}`);
      };
      const client = await sent(get('/1') + get('/2') + get('/3'));
      assert.deepEqual(await answers(client, 3), ['200 /1', '200 /2', '200 /3']);
    }),
  ),
];
