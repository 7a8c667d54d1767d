import type { EdgeListener } from '../model/certificates.ts';
import type { LogLevel } from '../model/observe.ts';
import type { HostPort } from '../model/settings.ts';
import type { BoundSocket } from './bound-sockets.ts';

/** The edges of one proxy, in this process or in others. */
export interface DataPlane {
  /** Resolves when every edge has its first table; before that none may listen. */
  begin(): Promise<void>;
  /** Descriptors of the listening sockets, for another process to inherit. */
  readonly sockets: number[];
  /**
   * Listens on exactly these from now on: new ones are opened before missing ones close, the same ones stay.
   * @param inherited sockets that are bound already
   */
  listen(listeners: EdgeListener[], inherited?: ReadonlyMap<string, readonly BoundSocket[]>): Promise<HostPort[]>;
  /** Opens the access log anew. */
  reopenLog(): Promise<void>;
  /** Of processes other than this one. */
  setLogLevel(level: LogLevel): void;
  /** Stops accepting and lets what is under way finish: see `Edge.drain`. */
  drain(deadlineMs: number, handOver: boolean): Promise<void>;
  close(): Promise<void>;
}
