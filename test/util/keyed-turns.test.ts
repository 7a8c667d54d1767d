import { expect, test } from 'vitest';
import { KeyedTurns } from '../../src/util/keyed-turns.ts';

test('tasks of one key wait for each other, also after a failure, and for none of another key', async () => {
  const turns = new KeyedTurns<string>();
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.run('a', async () => {
    await gate.promise;
    done.push('a1');
    throw new Error('no');
  });
  const second = turns.run('a', async () => done.push('a2'));
  await turns.run('b', async () => done.push('b'));
  gate.resolve();
  await expect(first).rejects.toThrow('no');
  await second;
  expect(done).toEqual(['b', 'a1', 'a2']);
});
