import { expect, test } from 'vitest';
import { createEventPrinter } from '../../src/cli/event-printer.ts';
import type { PilotEvent } from '../../src/model/events.ts';

const at = new Date(2026, 0, 2, 3, 4, 5, 6).toISOString();

function print(service: string | null, message: string): string {
  const lines: string[] = [];
  const event: PilotEvent = { at, type: 'ready', service, message, data: {} };
  createEventPrinter(['hello', 'a-longer-one'], (line) => void lines.push(line))(event);
  return lines.join('\n');
}

test('local time to the millisecond, the service in a column, then what happened', () => {
  expect(print('hello', 'hello ready in 212 ms')).toBe('03:04:05.006  hello         ready in 212 ms');
  expect(print('a-longer-one', 'a-longer-one asleep')).toBe('03:04:05.006  a-longer-one  asleep');
});

test('the name is taken off a message only where it stands as a word', () => {
  expect(print('hello', 'hello-2 exited')).toBe('03:04:05.006  hello         hello-2 exited');
});

test('what others wrote does nothing to the terminal', () => {
  expect(print('hello', 'container x: label \x1b[2Jpilotlight.a\nb: unknown')).toBe(
    '03:04:05.006  hello         container x: label pilotlight.a\ufffdb: unknown',
  );
});

test('what concerns no service has an empty column', () => {
  expect(print(null, 'configuration reloaded')).toBe('03:04:05.006                configuration reloaded');
});
