import { expect, test } from 'vitest';
import { inheritedDescriptors, predecessorOf } from '../../src/cli/predecessor.ts';

test.each([
  ['two of a supervisor', { LISTEN_FDS: '2', LISTEN_PID: '42' }, [3, 4]],
  ['those of a predecessor, which does not know our pid', { LISTEN_FDS: '1', PILOTLIGHT_SUCCESSOR: '1' }, [3]],
  ['those of another process', { LISTEN_FDS: '2', LISTEN_PID: '41' }, []],
  ['nobody’s', { LISTEN_FDS: '1' }, []],
  ['none', {}, []],
  ['nonsense', { LISTEN_FDS: 'two', LISTEN_PID: '42' }, []],
  ['less than none', { LISTEN_FDS: '-1', LISTEN_PID: '42' }, []],
])('inherited sockets: %s', (_, env, descriptors) => {
  expect(inheritedDescriptors(env, 42)).toEqual(descriptors);
});

test('without being told of one, or without a way to talk to it, there is no predecessor', () => {
  expect(predecessorOf({}, async () => undefined)).toBeUndefined();
});
