import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventParser, type StreamMessage } from '../../src/dashboard/event-parser.ts';

const STREAM =
  ': listening\n\nevent: state\ndata: {"a":1}\n\n:\n\nevent: waking\ndata: two\ndata: lines\n\ndata: plain\n\n';
const MESSAGES: StreamMessage[] = [
  { type: 'state', data: '{"a":1}' },
  { type: 'waking', data: 'two\nlines' },
  { type: 'message', data: 'plain' },
];

test('messages are the same wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 12 }), (cuts) => {
      const parser = new EventParser();
      const edges = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
      const messages = edges.slice(1).flatMap((end, index) => parser.take(STREAM.slice(edges[index], end)));
      expect(messages).toEqual(MESSAGES);
    }),
  );
});

test('a message that is not whole waits for its end', () => {
  const parser = new EventParser();
  expect(parser.take('event: state\ndata: {')).toEqual([]);
  expect(parser.take('}\n')).toEqual([]);
  expect(parser.take('\nevent: next')).toEqual([{ type: 'state', data: '{}' }]);
});
