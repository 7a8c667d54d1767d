/**
 * Whether what Consul lists is believed. Around an election Consul may list nothing for a second or two, so an empty
 * list is believed only when a second one, at least 2 s later, agrees, both with a known leader: until there is one,
 * nobody can register anew what a restart has lost.
 */
export type Belief =
  | { state: 'unknown' }
  | { state: 'filled' }
  | { state: 'empty' }
  /** It was filled, and has been listed as empty since; undefined: not with a known leader. */
  | { state: 'doubted'; since: number | undefined };

const DOUBT_MS = 2000;

/** The belief after an answer; whoever holds `doubted` or `unknown` afterwards did not believe it. */
export function judge(belief: Belief, answer: { empty: boolean; knownLeader: boolean }, now: number): Belief {
  if (!answer.empty) return { state: 'filled' };
  switch (belief.state) {
    case 'empty':
      return belief;
    case 'unknown':
      return answer.knownLeader ? { state: 'empty' } : belief;
    case 'filled':
      return { state: 'doubted', since: answer.knownLeader ? now : undefined };
    case 'doubted':
      if (!answer.knownLeader || belief.since === undefined) return judge({ state: 'filled' }, answer, now);
      return now - belief.since >= DOUBT_MS ? { state: 'empty' } : belief;
  }
}

/** The belief after contact was lost: two answers with an outage between them do not confirm each other. */
export function interrupted(belief: Belief): Belief {
  return belief.state === 'doubted' ? { state: 'filled' } : belief;
}

/** How soon to look again, ms; undefined when there is no doubt. */
export function lookAgainIn(belief: Belief, now: number): number | undefined {
  if (belief.state === 'unknown') return DOUBT_MS;
  if (belief.state === 'doubted') return Math.max(100, (belief.since ?? now) + DOUBT_MS - now);
  return undefined;
}
