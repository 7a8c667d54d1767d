import { expect, test } from 'vitest';
import { presenceAfter } from '../../../src/runtime/swarm/presence.ts';

test('a replica that cannot be reached for want of something on this machine is not taken for gone', () => {
  expect(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH'].map(presenceAfter)).toEqual(['gone', 'gone', 'gone']);
  expect(['EMFILE', 'EADDRNOTAVAIL'].map(presenceAfter)).toEqual(['silent', 'silent']);
});
