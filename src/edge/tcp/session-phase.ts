/**
 * How far a TCP session is. `new`: just accepted. `proxy-header`: a PROXY header has to come first. `reading-name`: its
 * ClientHello names where it leads. `held`: it waits for a start or a slot. `connecting`: it has an endpoint that has yet
 * to accept. `spliced`: bytes pass both ways. `client-ended`, `service-ended`: that side has ended, the other goes on.
 * `settling`: both have, and the service has yet to take what was written. `closing`: it is over but for what the client
 * has yet to take. `closed`: nothing is left.
 */
export type SessionPhase =
  | 'new'
  | 'proxy-header'
  | 'reading-name'
  | 'held'
  | 'connecting'
  | 'spliced'
  | 'client-ended'
  | 'service-ended'
  | 'settling'
  | 'closing'
  | 'closed';

/** What moves a session on. `cut`: we end it, whatever it is doing. `lost`: the client's connection is closed. */
export type SessionEvent =
  | 'header-awaited'
  | 'name-awaited'
  | 'waits'
  | 'dispatched'
  | 'accepted'
  | 'client-end'
  | 'service-end'
  | 'cut'
  | 'lost';

const end = { cut: 'closing', lost: 'closed' } as const;
const begin = { 'name-awaited': 'reading-name', waits: 'held', dispatched: 'connecting', ...end } as const;

const transitions: Record<SessionPhase, Partial<Record<SessionEvent, SessionPhase>>> = {
  new: { 'header-awaited': 'proxy-header', ...begin },
  'proxy-header': begin,
  'reading-name': begin,
  held: { dispatched: 'connecting', ...end },
  connecting: { waits: 'held', dispatched: 'connecting', accepted: 'spliced', ...end },
  spliced: { 'client-end': 'client-ended', 'service-end': 'service-ended', ...end },
  'client-ended': { 'service-end': 'settling', ...end },
  'service-ended': { 'client-end': 'settling', ...end },
  settling: { cut: 'closing' },
  closing: { lost: 'closed' },
  closed: {},
};

/** The phase after an event; one that means nothing in a phase, such as the end of a client that is held, leaves it. */
export function afterEvent(phase: SessionPhase, event: SessionEvent): SessionPhase {
  return transitions[phase][event] ?? phase;
}

/** Whether bytes pass in a direction at least. */
export function isOpen(phase: SessionPhase): boolean {
  return phase === 'spliced' || phase === 'client-ended' || phase === 'service-ended';
}
