import { expect, test } from 'vitest';
import { PilotlightError } from '../../../../src/model/errors.ts';
import { until } from '../../../edge/wire.ts';
import { Member } from './members.ts';

const never = new AbortController().signal;

async function ledPair() {
  const [a, b] = [await Member.start('a'), await Member.start('b')];
  a.lead(7);
  b.wire.relay.follow(a.leader(7));
  await until(() => a.wire.members.length === 1, 'the member');
  await until(() => b.said.some((line) => line.includes('led by a')), 'the welcome');
  return { a, b };
}

test('a member asks the leader, and gets what it answers or throws, by its code', async () => {
  const { a, b } = await ledPair();
  a.wire.calls.serve(async (method, args) => {
    if (method === 'wake') throw new PilotlightError('SERVICE_UNKNOWN', 'no service is named x');
    return { method, args };
  });
  expect(await b.wire.calls.call('status', [1, 'two'], never)).toEqual({ method: 'status', args: [1, 'two'] });
  await expect(b.wire.calls.call('wake', ['x'], never)).rejects.toMatchObject({
    code: 'SERVICE_UNKNOWN',
    message: 'no service is named x',
  });
  expect(await a.wire.calls.call('status', [], never)).toEqual({ method: 'status', args: [] });
});

test('a question that is given up, or whose leader goes away, ends at both sides', async () => {
  const { a, b } = await ledPair();
  const signals: AbortSignal[] = [];
  a.wire.calls.serve((_method, _args, _emit, signal) => {
    signals.push(signal);
    return new Promise(() => undefined);
  });
  const abort = new AbortController();
  const given = b.wire.calls.call('a', [], abort.signal);
  const lost = b.wire.calls.call('b', [], never);
  await until(() => signals.length === 2, 'both questions');
  abort.abort(new Error('given up'));
  await expect(given).rejects.toThrow('given up');
  await until(() => signals[0]?.aborted === true, 'the end of the first');
  expect(signals[1]?.aborted).toBe(false);
  a.wire.relay.follow(undefined);
  await expect(lost).rejects.toMatchObject({ code: 'CLUSTER_UNLED' });
  await expect(a.wire.calls.call('c', [], never)).rejects.toMatchObject({ code: 'CLUSTER_UNLED' });
});

test('a stream goes on at the next leader, until it is ended', async () => {
  const { a, b } = await ledPair();
  const c = await Member.start('c');
  const ended: string[] = [];
  for (const member of [a, c]) {
    member.wire.calls.serve(async (_method, _args, emit, signal) => {
      signal.addEventListener('abort', () => void ended.push(member.name));
      emit(`from ${member.name}`);
    });
  }
  const items: unknown[] = [];
  const abort = new AbortController();
  b.wire.calls.stream('events', [], (item) => void items.push(item), abort.signal);
  await until(() => items.length === 1, 'the first item');
  c.lead(9);
  b.wire.relay.follow(c.leader(9));
  await until(() => items.length === 2, 'the second item');
  expect(items).toEqual(['from a', 'from c']);
  await until(() => ended.includes('a'), 'its end at the leader before');
  abort.abort();
  await until(() => ended.includes('c'), 'its end');
});
