export type EventType =
  | 'waking'
  | 'ready'
  | 'start-failed'
  | 'scaled'
  | 'outcome'
  | 'frozen'
  | 'unfrozen'
  | 'refused'
  | 'refusal-ended'
  | 'endpoint-changed'
  | 'retiring'
  | 'revoked'
  | 'paused'
  | 'resume-failed'
  | 'dropped'
  | 'over-memory'
  | 'asleep'
  | 'idle-raised'
  | 'exited'
  | 'leaving'
  | 'sick'
  | 'adopted'
  | 'drain-forced'
  | 'closed-quiet'
  | 'bad-answer'
  | 'unreachable'
  | 'ejected'
  | 'runtime'
  | 'registration'
  | 'reloaded'
  | 'reload-failed'
  | 'led'
  | 'upgraded'
  | 'upgrade-failed'
  | 'draining'
  | 'declared'
  | 'undeclared'
  | 'declaration-refused'
  | 'declaration-remark'
  | 'certificate-changed'
  | 'certificate-refused'
  | 'certificate-ordered'
  | 'certificate-issued'
  | 'certificate-renewed'
  | 'certificate-failed'
  | 'certificate-removed';

/** Of which somebody should look into the cause. */
export const troubles: ReadonlySet<EventType> = new Set([
  'start-failed',
  'resume-failed',
  'sick',
  'drain-forced',
  'over-memory',
  'reload-failed',
  'bad-answer',
  'unreachable',
  'ejected',
  'declaration-refused',
  'certificate-refused',
  'certificate-failed',
]);

/** One thing that happened, for people and for the event stream. */
export interface PilotEvent {
  /** ISO 8601. */
  at: string;
  type: EventType;
  service: string | null;
  /** One line: `hello waking (1 request waits)`, without time and type. */
  message: string;
  /** The same as fields; durations in ms. */
  data: Record<string, string | number | boolean>;
}

/** Takes events; must not throw and must not block. */
export type EventSink = (event: PilotEvent) => void;
