import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterEvent, isOpen, type SessionEvent, type SessionPhase } from '../../../src/edge/tcp/session-phase.ts';

const events: SessionEvent[] = [
  'header-awaited',
  'name-awaited',
  'waits',
  'dispatched',
  'accepted',
  'client-end',
  'service-end',
  'cut',
  'lost',
];

const after = (...path: SessionEvent[]): SessionPhase => path.reduce<SessionPhase>(afterEvent, 'new');

test('a session goes its way', () => {
  expect(after('header-awaited', 'name-awaited', 'waits')).toBe('held');
  expect(after('waits', 'dispatched', 'waits', 'dispatched', 'accepted')).toBe('spliced');
  expect(after('dispatched', 'accepted', 'client-end', 'service-end')).toBe('settling');
  expect(after('dispatched', 'accepted', 'service-end', 'client-end', 'cut', 'lost')).toBe('closed');
});

test('what means nothing in a phase changes nothing', () => {
  expect(after('waits', 'client-end')).toBe('held');
  expect(after('dispatched', 'client-end', 'service-end')).toBe('connecting');
  expect(after('dispatched', 'accepted', 'client-end', 'client-end')).toBe('client-ended');
});

test('whatever happens, bytes pass only behind an endpoint that accepted, and the end is the end', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), (path) => {
      let phase: SessionPhase = 'new';
      let hasAccepted = false;
      for (const event of path) {
        const before: SessionPhase = phase;
        phase = afterEvent(phase, event);
        hasAccepted ||= before === 'connecting' && event === 'accepted';
        if (isOpen(phase)) expect(hasAccepted).toBe(true);
        if (before === 'closed') expect(phase).toBe('closed');
        if (before === 'closing') expect(['closing', 'closed']).toContain(phase);
      }
      expect(afterEvent(afterEvent(phase, 'cut'), 'lost')).toBe('closed');
    }),
  );
});
