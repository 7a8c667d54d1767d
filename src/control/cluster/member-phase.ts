/** What this process is of its cluster. */
export type MemberPhase =
  | { kind: 'new' }
  /** It stands for the lead, or has it. */
  | { kind: 'standing' }
  /** It cannot lead, or is of no use to the others: it does not stand for the lead until then, the clock's ms. */
  | { kind: 'waiving'; until: number }
  /** Another process is this member, and this one is led until its end. */
  | { kind: 'handed' }
  | { kind: 'leaving' }
  | { kind: 'ended' };

export type MemberEvent =
  | { type: 'began' }
  /** It leaves the lead to others until then, the clock's ms. */
  | { type: 'waived'; until: number }
  | { type: 'passed' }
  | { type: 'handed' }
  | { type: 'resumed' }
  | { type: 'left' }
  | { type: 'ended' };

/** What becomes of it by an event. Of two times for which it leaves the lead to others the longer one counts. */
export function nextPhase(before: MemberPhase, event: MemberEvent, now: number): MemberPhase {
  if (before.kind === 'ended') return before;
  switch (event.type) {
    case 'began':
      return before.kind === 'new' ? { kind: 'standing' } : before;
    case 'waived':
      if (before.kind === 'waiving') return { kind: 'waiving', until: Math.max(before.until, event.until) };
      return before.kind === 'standing' ? { kind: 'waiving', until: event.until } : before;
    case 'passed':
      return before.kind === 'waiving' && now >= before.until ? { kind: 'standing' } : before;
    case 'handed':
      return { kind: 'handed' };
    case 'resumed':
      return before.kind === 'handed' ? { kind: 'standing' } : before;
    case 'left':
      return isMember(before) ? { kind: 'leaving' } : before;
    case 'ended':
      return { kind: 'ended' };
  }
}

/** Whether this process is the member, and is to stay so. */
export function isMember({ kind }: MemberPhase): boolean {
  return kind === 'standing' || kind === 'waiving';
}
