import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { until } from '../../support/until.ts';
import { ANSWER_MS, askOwn } from '../harness/lane.ts';
import { answerWithTarget } from '../harness/origin.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play } from '../harness/stage.ts';

const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';

export const poison: Scenario[] = [
  ...[
    ['a whole response', EVIL],
    ['one byte', 'H'],
    ['a 408 of an origin that tires of waiting', 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'],
  ].map(([name, bytes]) =>
    scenario(`${name} on an idle connection of the origin: it is thrown away`, [50], () =>
      play({}, async ({ client: open, origin }) => {
        const used: Socket[] = [];
        origin.answering = (request, socket) => {
          used.push(socket);
          answerWithTarget(request, socket);
        };
        const client = await open();
        assert.equal(await askOwn(client, 'first', ANSWER_MS), 'own');
        used[0]?.write(bytes as string);
        await until('the connection is closed', () => used[0]?.closed === true, ANSWER_MS, 2);
        assert.equal(await askOwn(client, 'second', ANSWER_MS), 'own');
        assert.notEqual(used[1], used[0]);
      }),
    ),
  ),
  scenario('an idle connection that the origin closes is not used', [50], () =>
    play({}, async ({ client: open, origin }) => {
      const used: Socket[] = [];
      origin.answering = (request, socket) => {
        used.push(socket);
        answerWithTarget(request, socket);
      };
      const client = await open();
      assert.equal(await askOwn(client, 'first', ANSWER_MS), 'own');
      used[0]?.end();
      await until('the proxy has closed it, too', () => used[0]?.closed === true, ANSWER_MS, 2);
      assert.equal(await askOwn(client, 'second', ANSWER_MS), 'own');
      assert.equal(used.length, 2);
    }),
  ),
];
