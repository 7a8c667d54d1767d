import type { HostPort, ListenSettings } from '../model/settings.ts';

/** The edges of one proxy, in this process or in others. */
export interface DataPlane {
  /** Resolves when every edge has its first table; before that none may listen. */
  begin(): Promise<void>;
  /** Listens on exactly these from now on: new ones are opened before missing ones close, the same ones stay. */
  listen(listeners: ListenSettings[]): Promise<HostPort[]>;
  /** Opens the access log anew. */
  reopenLog(): Promise<void>;
  /** Stops accepting and lets what is under way finish: see `Edge.drain`. */
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}
