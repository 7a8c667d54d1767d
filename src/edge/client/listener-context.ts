import type { ListenLimits, ListenSettings } from '../../model/settings.ts';
import type { Scheme } from '../exchange/downstream.ts';
import type { HeadLimits } from '../http1/request.ts';
import type { ClientCounts } from './client-counts.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import type { IdleConnections } from './idle-connections.ts';

/** A client's connection as its listener sees it. */
export interface ClientConnection {
  /** No more requests: closes now where it is idle, else after its answer. */
  drain(): void;
  /** Closes without an orderly end. */
  abort(): void;
}

/** What connections of one listener share. */
export interface ListenerContext {
  timeouts: ListenSettings['timeouts'];
  limits: ListenLimits;
  headLimits: HeadLimits;
  proxyProtocol: boolean;
  /** By what scheme clients come, where no PROXY header says another. */
  scheme: Scheme;
  /** That it listens on: to ask each socket is a system call, 2 % of a connection with one request. */
  port: number;
  /** Client connections that it accepted and that are open, and how many of them each untrusted address has. */
  open: number;
  readonly clients: ClientCounts;
  readonly idle: IdleConnections;
  /** Those that lost their place before they could say what they want. */
  readonly connectionLimit: ConnectionLimit;
  /** Those of all listeners. */
  readonly connections: Set<ClientConnection>;
}
