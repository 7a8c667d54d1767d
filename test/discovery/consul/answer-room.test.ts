import { expect, test } from 'vitest';
import { AnswerRoom, AnswerRooms } from '../../../src/discovery/consul/answer-room.ts';

test('answers that are no longer than one before it need no memory of their own', () => {
  const room = new AnswerRoom();
  const long = Buffer.alloc(200_000, 'x');
  room.append(long, 0, long.length);
  const { buffer } = room.bytes;
  room.clear();
  room.append(Buffer.from('..short..'), 2, 7);
  expect([room.bytes.toString(), room.length, room.bytes.buffer === buffer]).toEqual(['short', 5, true]);
});

test('what was kept stays until what is read next is kept', () => {
  const rooms = new AnswerRooms();
  const put = (text: string) => {
    rooms.free.clear();
    rooms.free.append(Buffer.from(text), 0, text.length);
    return rooms.free.bytes;
  };
  const first = put('first');
  rooms.keep();
  put('broken off');
  put('second');
  expect(first.toString()).toBe('first');
  rooms.keep();
  put('third');
  expect(first.toString()).toBe('third');
});
