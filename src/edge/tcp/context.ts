import type { Member } from '../../util/members.ts';
import type { ExchangeContext } from '../exchange/context.ts';
import type { IdleConnections } from '../io/idle-connections.ts';
import type { Service } from '../service/service.ts';
import type { SessionCounts } from '../service/session-counts.ts';
import type { TcpTargets } from './targets.ts';

/** What TCP sessions need of the edge. */
export interface TcpContext extends ExchangeContext {
  /** Returns a service of the last table; undefined: it has none of the name. */
  serviceOf(name: string): Service | undefined;
  /** Sessions that came to no service. */
  readonly strayed: SessionCounts;
}

/** What the sessions of one listener share. */
export interface SessionListener {
  readonly timeouts: {
    /** To the end of a PROXY header, or of a ClientHello, ms. */
    readonly headMs: number;
    /** Longest that a client may take nothing of what is left at the end, ms. */
    readonly sendMs: number;
  };
  readonly proxyProtocol: boolean;
  /** Undefined: the last reload made it one of HTTP. */
  readonly targets: TcpTargets | undefined;
  /** Open connections. */
  open: number;
  /** Those that have yet to say where they lead make room for others. */
  readonly idle: IdleConnections;
  /** Those of all listeners. */
  readonly connections: { add(session: OpenSession): void; delete(session: OpenSession): void };
}

/** A session as its listener sees it. */
export interface OpenSession extends Member {
  /** Ends it, if it has not come to a service yet and no other process serves on. */
  drain(handingOver: boolean): void;
  /** Closes without an orderly end. */
  abort(): void;
}

/** The other end of a client's connection. */
export interface SessionPeer {
  /** Its address, or the one that its PROXY header names; IPv4 where it is IPv4-mapped. */
  readonly address: string;
  readonly port: number;
  /** Address that the client connected to here, host:port. */
  readonly localAddress: string;
  /** Takes the other end that the socket names. */
  meet(): void;
  /** Takes more of a PROXY header. @returns the bytes behind it; `more`: it is not complete */
  readProxyHeader(chunk: Buffer): Buffer | 'more' | 'broken';
  /** Counts it among the connections of its address. @returns whether these are too many */
  enter(): boolean;
  leave(): void;
  /** Remembers `localAddress`, as a closed socket does not know it any more. */
  noteLocalAddress(): void;
}
