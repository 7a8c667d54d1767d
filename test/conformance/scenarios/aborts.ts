import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { ANSWER_MS } from '../harness/lane.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play } from '../harness/stage.ts';

const GET = 'GET /c HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf';

export const aborts: Scenario[] = [
  ...(['end', 'reset'] as const).map((how) =>
    scenario(`a client that leaves by ${how} before the answer ends the origin’s connection`, [46], () => {
      const clock = new VirtualClock();
      clock.advance(1000);
      return play({ clock }, async ({ sent, origin }) => {
        let far: Socket | undefined;
        origin.answering = (_request, socket) => {
          far = socket;
        };
        const client = await sent(GET);
        await until('the request is there', () => far !== undefined, ANSWER_MS, 2);
        // Right behind the request, an end would be a half-close.
        clock.advance(300);
        if (how === 'end') client.socket.end();
        else client.socket.resetAndDestroy();
        await until('the origin’s connection is closed', () => far?.closed === true, ANSWER_MS, 2);
      });
    }),
  ),
  scenario('a client that half-closes right behind its request gets its answer', [46], () => {
    const clock = new VirtualClock();
    clock.advance(1000);
    return play({ clock }, async ({ sent, origin }) => {
      let far: Socket | undefined;
      origin.answering = (_request, socket) => {
        far = socket;
      };
      const client = await sent(GET);
      client.socket.end();
      await until('the request is there', () => far !== undefined, ANSWER_MS, 2);
      clock.advance(5000);
      far?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      assert.equal((await client.answer('GET', ANSWER_MS))?.message.body, 'ok');
      assert.equal(await client.end(ANSWER_MS), 'ended');
    });
  }),
  scenario('a client that leaves in the middle of the answer ends the origin’s connection', [46], () =>
    play({}, async ({ sent, origin }) => {
      let far: Socket | undefined;
      origin.answering = (_request, socket) => {
        far = socket;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      };
      const client = await sent(GET);
      assert.match(await client.bytes(10, ANSWER_MS), /^HTTP\/1\.1 200/);
      client.socket.resetAndDestroy();
      await until('the origin’s connection is closed', () => far?.closed === true, ANSWER_MS, 2);
    }),
  ),
  scenario('a client that leaves in the middle of its body leaves no whole request behind', [46], () =>
    play({}, async ({ sent, origin }) => {
      let far: Socket | undefined;
      origin.interrupting = (_head, socket) => {
        far = socket;
        return 'wait';
      };
      const client = await sent(POST);
      await until('the head is there', () => far !== undefined, ANSWER_MS, 2);
      client.socket.resetAndDestroy();
      await until('the origin’s connection is closed', () => far?.closed === true, ANSWER_MS, 2);
      assert.deepEqual(origin.take().received, []);
    }),
  ),
  scenario('an origin that leaves in the middle of the body it is sent is a 502', [46], () =>
    play({}, async ({ sent, origin }) => {
      origin.interrupting = (_head, socket) => {
        socket.resetAndDestroy();
        return 'done';
      };
      const client = await sent(POST);
      assert.equal((await client.answer('POST', ANSWER_MS))?.status, 502);
      assert.equal(await client.end(ANSWER_MS), 'ended');
    }),
  ),
  scenario('a thousand aborts of all kinds leave no connection behind', [46, 'http-party-1559'], () => {
    const clock = new VirtualClock();
    clock.advance(1000);
    return play({ clock }, async ({ sent, origin, edge }) => {
      origin.answering = ({ target }, socket) => {
        if (target === '/answering') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      };
      const kinds = [GET, POST, GET.replace('/c', '/answering'), 'GET /c HTTP/1.1\r\nHo'];
      for (let round = 0; round < 10; round++) {
        const clients = await Promise.all(Array.from({ length: 100 }, (_, index) => sent(kinds[index % 4] as string)));
        await clients.at(2)?.bytes(10, ANSWER_MS);
        for (const [index, { socket }] of clients.entries())
          index % 3 === 0 ? socket.destroy() : socket.resetAndDestroy();
      }
      // Some ends came right behind the request: those clients may still wait, but not for ever.
      const isEmpty = async () => {
        clock.advance(1000);
        return (await edge.connections()) === 0;
      };
      await until('the edge has no client left', isEmpty, ANSWER_MS, 5);
      await until('the origin has none either', () => origin.connections === 0, ANSWER_MS, 5);
    });
  }),
];
