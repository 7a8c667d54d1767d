import { expect, test } from 'vitest';
import type { Logger } from '../../../src/model/observe.ts';
import type { TracedStart } from '../../../src/model/traces.ts';
import type { Poster, Traced } from '../../../src/observe/traces/otlp.ts';
import { TraceQueue } from '../../../src/observe/traces/trace-queue.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

const started = (replica: string): TracedStart => ({
  span: { traceId: '1'.repeat(32), spanId: '2'.repeat(16) },
  service: 'shop',
  replica,
  cause: 'demand',
  at: 0,
  isResumed: false,
  permitMs: 0,
  startedMs: -1,
  endedMs: 1,
  failure: undefined,
});

/** A queue in front of a collector that does as it is told. */
function world(post: Poster['post'] = async () => undefined) {
  const clock = new VirtualClock();
  const posts: number[] = [];
  const warned: string[] = [];
  const warn = (_: object, line: string) => void warned.push(line);
  const logger: Logger = { debug: () => undefined, info: () => undefined, error: warn, warn };
  const poster: Poster = {
    post: (traced: readonly Traced[]) => {
      posts.push(traced.length);
      return post(traced);
    },
    close: async () => undefined,
  };
  const queue = new TraceQueue({ sample: 1, endpoint: 'http://collector.test/v1/traces', poster, clock, logger });
  const add = (count: number) => {
    for (let index = 0; index < count; index++) queue.start(started(`shop-${index}`));
  };
  /** Lets promises settle, then time pass. */
  const pass = async (ms: number) => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    clock.advance(ms);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return { queue, posts, warned, add, pass };
}

test('what is traced within a second is one post', async () => {
  const { posts, add, pass } = world();
  add(3);
  await pass(999);
  expect(posts).toEqual([]);
  add(2);
  await pass(1);
  expect(posts).toEqual([5]);
  add(1);
  await pass(1000);
  expect(posts).toEqual([5, 1]);
});

test('a full batch does not wait, and one post is under way at a time', async () => {
  const endings: (() => void)[] = [];
  const { posts, add, pass } = world(() => new Promise((resolve) => endings.push(resolve)));
  add(700);
  await pass(5000);
  expect(posts).toEqual([256]);
  endings.shift()?.();
  await pass(0);
  expect(posts).toEqual([256, 256]);
  endings.shift()?.();
  await pass(1000);
  expect(posts).toEqual([256, 256, 188]);
});

test('a collector that takes nothing costs 2048 places, a count, and a line a minute', async () => {
  const { queue, warned, add, pass } = world(() => new Promise(() => undefined));
  add(256 + 2048 + 10);
  expect(queue.takeLost()).toBe(10);
  expect(queue.takeLost()).toBe(0);
  add(5);
  expect(warned).toEqual(['traces are lost, as the collector does not take them: it is too slow']);
  await pass(60_000);
  add(1);
  expect(warned).toHaveLength(2);
  expect(queue.takeLost()).toBe(6);
});

test('what it refuses is lost and counted, and the next goes through', async () => {
  let isDown = true;
  const { queue, posts, warned, add, pass } = world(async () => {
    if (isDown) throw new Error('connect ECONNREFUSED 127.0.0.1:4318');
  });
  add(4);
  await pass(1000);
  expect(queue.takeLost()).toBe(4);
  expect(warned).toEqual(['traces are lost, as the collector does not take them: connect ECONNREFUSED 127.0.0.1:4318']);
  isDown = false;
  add(2);
  await pass(1000);
  expect([posts, queue.takeLost()]).toEqual([[4, 2], 0]);
});

test('at the end all that waits is posted', async () => {
  const { queue, posts, warned, add } = world();
  add(300);
  await queue.close();
  expect(posts.reduce((sum, count) => sum + count, 0)).toBe(300);
  expect(warned).toEqual([]);
});

test('a collector that does not answer holds the end up for 1.5 s, and what was lost is told', async () => {
  const { queue, warned, add, pass } = world(() => new Promise(() => undefined));
  add(300);
  let isOver = false;
  const closed = queue.close().then(() => {
    isOver = true;
  });
  await pass(1499);
  expect(isOver).toBe(false);
  await pass(1);
  await closed;
  expect(warned).toEqual(['the collector did not take the last traces: 300 are lost']);
});
