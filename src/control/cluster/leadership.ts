import type { LockState } from '../../model/cluster.ts';

/** What a member has of the lock. `heardAt`: when the question was asked that Consul last answered with a yes, the clock's ms. */
export type Leadership =
  /** It has no session: it cannot lead. */
  | { state: 'outside' }
  /** Another member leads, or nobody does. */
  | { state: 'following'; session: string; heardAt: number }
  /** It has asked for the lock. */
  | { state: 'contending'; session: string; heardAt: number }
  | { state: 'leading'; session: string; heardAt: number; index: number }
  /** It led, and has not renewed that in time: it acts on nothing, but nobody else has the lock as far as it knows. */
  | { state: 'suspended'; session: string; heardAt: number; index: number };

export type LeadershipEvent =
  | { type: 'opened'; session: string; askedAt: number }
  | { type: 'renewed'; session: string; askedAt: number }
  /** Consul does not know the session any more. */
  | { type: 'ended'; session: string }
  | { type: 'asked' }
  | { type: 'refused' }
  /** How the lock stood a moment ago. */
  | ({ type: 'seen' } & Pick<LockState, 'session' | 'index'>)
  | { type: 'passed' };

/** Of the TTL: a right that was not renewed for so long is no right any more. */
const RIGHT_SHARE = 1 / 2;
/** Of the TTL: what is suspended for so long gives up. Consul keeps the session of one that is gone for twice the TTL. */
const SUSPENDED_SHARE = 1;

/** Until when a leader may act, the clock's ms. */
function rightUntil({ heardAt }: { heardAt: number }, ttlMs: number): number {
  return heardAt + ttlMs * RIGHT_SHARE;
}

/** The index under which a member may act now; undefined: it may not. Asked at every act, as timers may be late. */
export function rightOf(leadership: Leadership, now: number, ttlMs: number): number | undefined {
  if (leadership.state !== 'leading' || now >= rightUntil(leadership, ttlMs)) return undefined;
  return leadership.index;
}

/** What becomes of it by an event. An event of another session than the present one changes nothing. */
export function nextLeadership(before: Leadership, event: LeadershipEvent, now: number, ttlMs: number): Leadership {
  if (event.type === 'opened') {
    if (before.state !== 'outside') return before;
    return { state: 'following', session: event.session, heardAt: event.askedAt };
  }
  if (before.state === 'outside') return before;
  switch (event.type) {
    case 'ended':
      return event.session === before.session ? { state: 'outside' } : before;
    case 'renewed': {
      if (event.session !== before.session || event.askedAt < before.heardAt) return before;
      const renewed = { ...before, heardAt: event.askedAt };
      if (renewed.state === 'suspended' && now < rightUntil(renewed, ttlMs)) return { ...renewed, state: 'leading' };
      return renewed;
    }
    case 'asked':
      return before.state === 'following' ? { ...before, state: 'contending' } : before;
    case 'refused':
      return before.state === 'contending' ? { ...before, state: 'following' } : before;
    case 'seen':
      return seen(before, event, now, ttlMs);
    case 'passed':
      return passed(before, now, ttlMs);
  }
}

function seen(
  before: Exclude<Leadership, { state: 'outside' }>,
  { session, index }: Pick<LockState, 'session' | 'index'>,
  now: number,
  ttlMs: number,
): Leadership {
  const { session: own, heardAt } = before;
  const isLeader = before.state === 'leading' || before.state === 'suspended';
  // What was seen may be older than what is known.
  if (isLeader && index <= before.index) return before;
  if (session !== own) return isLeader ? { state: 'following', session: own, heardAt } : before;
  const state = now < rightUntil(before, ttlMs) ? 'leading' : 'suspended';
  return { state, session: own, heardAt, index };
}

function passed(before: Exclude<Leadership, { state: 'outside' }>, now: number, ttlMs: number): Leadership {
  if (before.state === 'leading' && now >= rightUntil(before, ttlMs)) return { ...before, state: 'suspended' };
  if (before.state === 'suspended' && now >= rightUntil(before, ttlMs) + ttlMs * SUSPENDED_SHARE) {
    return { state: 'outside' };
  }
  return before;
}
