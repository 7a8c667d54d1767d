/** A line of the checklist: its number, or the id of a defect that some other product had. */
export type LineId = number | string;

/**
 * What the RFCs ask. `refuse`: must not get through. `accept`: must get through, unharmed. `either`: they leave a choice,
 * but what gets through must be unharmed. `truncate` (responses): the client must be able to see that it is not whole.
 */
export type Rule = 'refuse' | 'accept' | 'either';

interface Named {
  /** What is sent or at stake; unique within its file. */
  name: string;
  lines: LineId[];
}

/** One request as the origin has to see it. */
export interface Seen {
  method: string;
  target: string;
  /** Value of Host; not looked at where undefined. */
  host?: string;
  /** Content; empty where undefined. */
  body?: string;
  /** Fields that must be there, `Name: value`. */
  has?: string[];
  /** Names that must not be there, neither as field nor as trailer. */
  lacks?: string[];
  /** All trailers, `Name: value`. */
  trailers?: string[];
}

/** Bytes that a client sends on a connection of its own, and what may come of them. */
export interface RequestCase extends Named {
  kind: 'request';
  rule: Rule;
  /** Latin-1. */
  send: string;
  /** The status that we refuse it with; the connection is closed then. */
  refused?: number;
  /** What the origin sees where it is let through: the whole list. */
  seen?: Seen[];
  /** The connection after the answers of what is let through. */
  then?: 'open' | 'closed';
  /** Fields that our own rules take away or put in, beyond what the RFCs ask. */
  ours?: { lacks?: string[]; has?: string[] };
}

/** What the client has to get of a response. */
export interface Got {
  status: number;
  /** Content; empty where undefined. */
  body?: string;
  /** Status codes of the interim answers before it. */
  interim?: number[];
  has?: string[];
  lacks?: string[];
  trailers?: string[];
  /** `truncated`: the client can tell that the message is not whole. */
  ending?: 'complete' | 'truncated';
}

/** Bytes that an origin answers with, and what the client may see of them. */
export interface ResponseCase extends Named {
  kind: 'response';
  rule: Rule | 'truncate';
  /** What the client asked; a plain GET by default. */
  send?: string;
  /** Latin-1. */
  respond: string;
  /** What the origin does with the connection behind that; it stays open by default. */
  after?: 'stay' | 'close' | 'reset';
  /** We answer 502 instead. */
  refused?: true;
  got?: Got;
  /** The client's connection afterwards; open by default. */
  then?: 'open' | 'closed';
  /** Whether the next request goes to the origin on the same connection. */
  upstream?: 'kept' | 'discarded';
}

export type Case = RequestCase | ResponseCase;

/** The plain request that a response case answers. */
export const PLAIN_GET = 'GET /case HTTP/1.1\r\nHost: a\r\n\r\n';
