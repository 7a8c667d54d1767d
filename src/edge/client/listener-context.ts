import type { Socket } from 'node:net';
import type { ListenLimits, ListenSettings } from '../../model/settings.ts';
import type { Member, Members } from '../../util/members.ts';
import type { HeadLimits } from '../http1/request.ts';
import type { IdleConnections } from '../io/idle-connections.ts';
import type { TcpTargets } from '../tcp/targets.ts';
import type { ClientCounts } from './client-counts.ts';
import type { ConnectionLimit } from './connection-limit.ts';

/** A client's connection as its listener sees it. */
export interface ClientConnection extends Member {
  /**
   * Takes no more requests: closes now if it is idle, else after its answer.
   * @param handingOver another process accepts from the same sockets: a connection that has no way to tell its client
   *   stays open until its next answer, as a request may be on its way
   */
  drain(handingOver: boolean): void;
  /** Closes without an orderly end. */
  abort(): void;
}

/** Ends TLS for the connections of a listener. */
export interface TlsEnd {
  /** Makes the handshake, then has the connection served. */
  accept(socket: Socket): void;
  /** Which rules for handshakes hold for a host. */
  rulesFor(host: string): string;
}

/** What connections of one listener share. */
export interface ListenerContext {
  timeouts: ListenSettings['timeouts'];
  limits: ListenLimits;
  headLimits: HeadLimits;
  proxyProtocol: boolean;
  /** Where its connections lead as they are; undefined: they speak HTTP. */
  targets: TcpTargets | undefined;
  /** Whether a connection in clear text may begin with HTTP/2. */
  priorKnowledge: boolean;
  /** Its connections go here first; undefined: they come in clear text. */
  tls: TlsEnd | undefined;
  /** Whether clients are asked for a certificate. */
  asksClients: boolean;
  /** Under this name routes are tied to it; empty: it has none. */
  name: string;
  /** Requests are sent to this port by https; 0: they are served. */
  httpsPort: number;
  /** What HTTP-01 asks for, by token (RFC 8555 §8.3); undefined: nobody does at present. */
  acmeAnswers: Readonly<Record<string, string>> | undefined;
  /** The port that it listens on. To ask each socket is a system call, 2 % of a connection with one request. */
  port: number;
  /** Client connections that it accepted and that are open, and how many of them each untrusted address has. */
  open: number;
  readonly clients: ClientCounts;
  readonly idle: IdleConnections;
  /** Takes over connections that lost their place before they sent a request. */
  readonly connectionLimit: ConnectionLimit;
  /** The connections of all listeners. */
  readonly connections: Members<ClientConnection>;
}
