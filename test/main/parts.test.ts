import { expect, test } from 'vitest';
import { whatCanChange } from '../../src/parts.ts';
import { settingsOf } from '../config/parse.ts';

const declaring = (docker: string) =>
  settingsOf(`listen: [{ address: "127.0.0.1:1" }]\ndeclare: { docker: ${docker} }\nservices: {}\n`);

test('labels that are asked for stay those that the process began with, and what they may say changes', () => {
  const usable = whatCanChange(declaring('true'), declaring('{ prefix: other, allow: { hosts: [a.example] } }'));
  expect(usable.declare?.sources).toMatchObject({ docker: { prefix: 'pilotlight', allow: { hosts: ['a.example'] } } });
});

test('a source that was not asked when the process began is not asked now', () => {
  const without = settingsOf('listen: [{ address: "127.0.0.1:1" }]\nservices: {}\n');
  expect(whatCanChange(without, declaring('true')).declare).toBeUndefined();
  expect(whatCanChange(declaring('true'), without).declare).toBeUndefined();
});
