import { expect, test } from 'vitest';
import { WrongTokens } from '../../src/admin/wrong-tokens.ts';
import { silentLogger } from '../../src/model/observe.ts';

function collect(): { lines: string[]; wrongTokens: WrongTokens } {
  const lines: string[] = [];
  return { lines, wrongTokens: new WrongTokens({ ...silentLogger, warn: (_fields, line) => lines.push(line) }) };
}

test('an address that tries again and again is logged once', () => {
  const { lines, wrongTokens } = collect();
  for (let i = 0; i < 5; i++) wrongTokens.note('10.0.0.1');
  wrongTokens.note('10.0.0.2');
  expect(lines).toEqual(['a wrong admin token came from 10.0.0.1', 'a wrong admin token came from 10.0.0.2']);
  wrongTokens.close();
});

test('many addresses fill neither the memory nor the log', () => {
  const { lines, wrongTokens } = collect();
  for (let i = 0; i < 5000; i++) wrongTokens.note(`10.0.${i >> 8}.${i & 255}`);
  expect(lines.length).toBe(1000);
  wrongTokens.close();
});
