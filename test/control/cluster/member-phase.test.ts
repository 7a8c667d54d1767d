import { expect, test } from 'vitest';
import { isMember, type MemberEvent, type MemberPhase, nextPhase } from '../../../src/control/cluster/member-phase.ts';

const after = (phase: MemberPhase, ...events: [MemberEvent, number?][]) =>
  events.reduce((before, [event, now = 0]) => nextPhase(before, event, now), phase);

const standing: MemberPhase = { kind: 'standing' };
const ended: MemberPhase = { kind: 'ended' };

test('of two times for which a member leaves the lead to others the longer one counts', () => {
  const waiving = after(standing, [{ type: 'waived', until: 600_000 }], [{ type: 'waived', until: 20_000 }]);
  expect(after(waiving, [{ type: 'passed' }, 20_000])).toEqual({ kind: 'waiving', until: 600_000 });
  expect(after(waiving, [{ type: 'passed' }, 600_000])).toEqual(standing);
  expect(after(standing, [{ type: 'waived', until: 20_000 }], [{ type: 'waived', until: 30_000 }])).toEqual({
    kind: 'waiving',
    until: 30_000,
  });
  expect(isMember(waiving)).toBe(true);
});

test('a process that is no member any more does not stand for the lead again, unless it is one again', () => {
  for (const event of ['handed', 'left', 'ended'] as const) {
    const gone = after(standing, [{ type: event }], [{ type: 'waived', until: 10 }], [{ type: 'passed' }, 20]);
    expect([gone.kind, isMember(gone)]).toEqual([{ handed: 'handed', left: 'leaving', ended: 'ended' }[event], false]);
  }
  expect(after(standing, [{ type: 'handed' }], [{ type: 'resumed' }])).toEqual(standing);
  const all: MemberEvent['type'][] = ['began', 'passed', 'handed', 'resumed', 'left', 'ended'];
  for (const type of all) expect(after(ended, [{ type } as MemberEvent])).toEqual(ended);
  expect(after({ kind: 'waiving', until: 9 }, [{ type: 'left' }])).toEqual({ kind: 'leaving' });
  expect(after(standing, [{ type: 'resumed' }])).toEqual(standing);
});
