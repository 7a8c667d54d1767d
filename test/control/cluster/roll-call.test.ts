import { expect, test } from 'vitest';
import { RollCall } from '../../../src/control/cluster/roll-call.ts';
import { type ErrorCode, PilotlightError } from '../../../src/model/errors.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

const LEASE_MS = 5000;

/** What a member that follows says of its leader after some leases in which it failed so. */
function complaintOf(code: ErrorCode, others: string[]): number | undefined {
  const clock = new VirtualClock();
  let told: number | undefined;
  const rollCall = new RollCall({
    lock: {} as never,
    wire: { members: [], trouble: new PilotlightError(code, 'no link') } as never,
    record: {
      complain: (index: number | undefined) => {
        told = index;
      },
    } as never,
    clock,
    logger: silentLogger,
    self: 'own',
    leaseMs: LEASE_MS,
    ttlMs: 2 * LEASE_MS,
    leads: () => undefined,
    mayAct: () => false,
    follows: () => 7,
    leave: () => undefined,
  });
  const address = { host: 'leader', port: 1 };
  const members = ['own', ...others].map((member) => ({ member, address, index: 7 }));
  rollCall.begin(new AbortController().signal);
  rollCall.seen({ leader: { member: 'leader', address, index: 7 }, session: 'its', index: 7, members });
  clock.advance(3 * LEASE_MS);
  return told;
}

test('a leader that cannot be reached is told so, even by the only other member: that one may be reached', () => {
  expect(complaintOf('CLUSTER_LINK_FAILED', ['leader'])).toBe(7);
  expect(complaintOf('CLUSTER_UNLED', ['leader'])).toBeUndefined();
});

test('a member with another secret takes the lead from no one that would be alone with it', () => {
  expect(complaintOf('CLUSTER_SECRET_WRONG', ['leader'])).toBeUndefined();
  expect(complaintOf('CLUSTER_SECRET_WRONG', ['leader', 'third'])).toBe(7);
});
