import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import { ANSWER_MS } from '../harness/lane.ts';
import { answerWithTarget, type Origin } from '../harness/origin.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play, type Stage } from '../harness/stage.ts';

const request = (method: string): string =>
  `${method} /c HTTP/1.1\r\nHost: a\r\n${method === 'GET' ? '' : 'Content-Length: 2\r\n'}\r\n${method === 'GET' ? '' : 'ok'}`;

/** On each attempt at `/c` the origin writes the next of these and closes; behind the last it answers. */
function failing(origin: Origin, beginnings: string[]): { attempts: () => number } {
  let attempts = 0;
  origin.answering = (received, socket) => {
    if (received.target !== '/c') return answerWithTarget(received, socket);
    const beginning = beginnings[attempts++];
    if (beginning === undefined) answerWithTarget(received, socket);
    else socket.end(beginning);
  };
  return { attempts: () => attempts };
}

/** A connection to the origin has served before, and waits for the next request. */
async function warm(stage: Stage): Promise<void> {
  await stage.serves();
  await until('the warm connection stays', () => stage.origin.connections === 1, ANSWER_MS, 2);
}

export const retries: Scenario[] = [
  scenario('GET on a reused connection that closes without a byte is sent again', [47], () =>
    play({}, async (stage) => {
      await warm(stage);
      const { attempts } = failing(stage.origin, ['']);
      const client = await stage.sent(request('GET'));
      assert.equal((await client.answer('GET', ANSWER_MS))?.status, 200);
      assert.equal(attempts(), 2);
    }),
  ),
  scenario('POST on a reused connection that closes without a byte is not', [47], () =>
    play({}, async (stage) => {
      await warm(stage);
      const { attempts } = failing(stage.origin, ['']);
      const client = await stage.sent(request('POST'));
      assert.equal((await client.answer('POST', ANSWER_MS))?.status, 502);
      await sleep(20);
      assert.equal(attempts(), 1);
    }),
  ),
  ...[
    ['half a head', 'HTTP/1.1 20'],
    ['an interim answer', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ].map(([name, beginning]) =>
    scenario(`GET of which ${name} came is not sent again`, [47], () =>
      play({}, async (stage) => {
        await warm(stage);
        const { attempts } = failing(stage.origin, [beginning as string]);
        const client = await stage.sent(request('GET'));
        assert.equal((await client.answer('GET', ANSWER_MS))?.status, 502);
        await sleep(20);
        assert.equal(attempts(), 1);
      }),
    ),
  ),
  scenario('GET of which half an answer came is not sent again', [17, 47], () =>
    play({}, async (stage) => {
      await warm(stage);
      const { attempts } = failing(stage.origin, ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf']);
      const client = await stage.sent(request('GET'));
      assert.equal((await client.answer('GET', ANSWER_MS))?.ending, 'truncated');
      await sleep(20);
      assert.equal(attempts(), 1);
    }),
  ),
  scenario('GET that fails again and again is given up', [47], () =>
    play({ policy: { retries: { max: 2, budget: 1, idempotent: false } } }, async (stage) => {
      const { attempts } = failing(
        stage.origin,
        Array.from({ length: 20 }, () => ''),
      );
      const client = await stage.sent(request('GET'));
      assert.equal((await client.answer('GET', ANSWER_MS))?.status, 502);
      assert.equal(attempts(), 3);
    }),
  ),
  scenario('a retried request is the same, its body too', [47], () =>
    play({ policy: { retries: { max: 1, budget: 1, idempotent: true } } }, async (stage) => {
      const { attempts } = failing(stage.origin, ['']);
      const client = await stage.sent(request('PUT'));
      assert.equal((await client.answer('PUT', ANSWER_MS))?.status, 200);
      assert.equal(attempts(), 2);
      const [first, second] = stage.origin.take().received;
      assert.deepEqual([second?.message.body, second?.message.fields], [first?.message.body, first?.message.fields]);
    }),
  ),
];
