import assert from 'node:assert/strict';
import { ANSWER_MS, askOwn } from '../harness/lane.ts';
import { statusOf, valuesOf } from '../harness/message.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play } from '../harness/stage.ts';

const head = (version: string, ...fields: string[]): string =>
  `POST /c ${version}\r\nHost: a\r\nContent-Length: 5\r\n${fields.map((each) => `${each}\r\n`).join('')}\r\n`;

export const expect: Scenario[] = [
  scenario('the head goes on at once, the origin’s 100 comes back, then the body goes', [43], () =>
    play({}, async ({ sent, origin, reached }) => {
      let asked: string[] = [];
      origin.interrupting = (message, socket) => {
        asked = valuesOf(message.fields, 'expect');
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        return 'wait';
      };
      const client = await sent(head('HTTP/1.1', 'Expect: 100-Continue'));
      assert.equal(await client.bytes(25, ANSWER_MS), 'HTTP/1.1 100 Continue\r\n\r\n');
      assert.deepEqual(asked, ['100-continue']);
      await client.send('hello');
      assert.equal((await client.answer('POST', ANSWER_MS))?.status, 200);
      await reached(1);
      assert.equal(await askOwn(client, 'next', ANSWER_MS), 'own');
    }),
  ),
  scenario('a client that does not wait for the 100 is served as well', [43], () =>
    play({}, async ({ sent, origin }) => {
      origin.interrupting = (_head, socket) => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        return 'wait';
      };
      const client = await sent(`${head('HTTP/1.1', 'Expect: 100-continue')}he`);
      assert.equal(await client.bytes(25, ANSWER_MS), 'HTTP/1.1 100 Continue\r\n\r\n');
      await client.send('llo');
      assert.equal((await client.answer('POST', ANSWER_MS))?.status, 200);
      assert.equal(origin.take().received[0]?.message.body, 'hello');
    }),
  ),
  scenario('an origin that sends no 100 is not waited for', [43], () =>
    play({}, async ({ sent, origin }) => {
      const client = await sent(`${head('HTTP/1.1', 'Expect: 100-continue')}hello`);
      const answer = await client.answer('POST', ANSWER_MS);
      assert.deepEqual([answer?.status, answer?.interim.length], [200, 0]);
      assert.equal(origin.take().received[0]?.message.body, 'hello');
    }),
  ),
  ...[417, 403].map((status) =>
    scenario(`a ${status} instead of the 100 is passed on, and the connection is closed`, [43, 45], () =>
      play({}, async ({ sent, origin }) => {
        origin.interrupting = (_head, socket) => {
          socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`);
          return 'done';
        };
        const client = await sent(head('HTTP/1.1', 'Expect: 100-continue'));
        const answer = await client.answer('POST', ANSWER_MS);
        assert.deepEqual([answer?.status, answer?.message.body], [status, 'no']);
        assert.equal(await client.end(ANSWER_MS), 'ended');
      }),
    ),
  ),
  scenario('of a client of HTTP/1.0 no 100 is expected and none is sent to it', [43], () =>
    play({}, async ({ sent, origin }) => {
      let expected: string[] | undefined;
      origin.answering = ({ message }, socket) => {
        expected = valuesOf(message.fields, 'expect');
        socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      };
      const client = await sent(`${head('HTTP/1.0', 'Expect: 100-continue')}hello`);
      const answer = await client.answer('POST', ANSWER_MS);
      assert.deepEqual([answer?.status, answer?.interim.map(statusOf), answer?.message.body], [200, [], 'ok']);
      assert.deepEqual(expected, []);
    }),
  ),
];
