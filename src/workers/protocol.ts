import type { EdgeListener } from '../model/certificates.ts';
import type { ControlMessage, EdgeMessage } from '../model/link.ts';
import type { LogFormat, LogLevel } from '../model/observe.ts';
import type { AccessLogSettings } from '../model/settings.ts';
import type { TraceSettings } from '../model/traces.ts';

/** How a worker is made. */
export interface WorkerSetup {
  /** Under which the control plane knows it. */
  name: string;
  /** Its part of every bound that is shared out. */
  share: Share;
  logLevel: LogLevel;
  logFormat: LogFormat;
  accessLog: AccessLogSettings | undefined;
  /** Absent: nothing is traced. */
  traces?: TraceSettings | undefined;
}

/** The `index`-th, from 0, of `of` parts as equal as they can be. */
export interface Share {
  index: number;
  of: number;
}

/**
 * Primary → worker: plain data, in order. What has an `order` is answered under that number.
 */
export type WorkerOrder =
  | { type: 'begin'; setup: WorkerSetup }
  | { type: 'link'; message: ControlMessage }
  /** A bound socket for the next `listen`, for listeners of this key; its handle comes beside the message. */
  | { type: 'socket'; key: string }
  | { type: 'listen'; order: number; listeners: EdgeListener[] }
  | { type: 'drain'; order: number; deadlineMs: number; handOver: boolean }
  | { type: 'reopen-log'; order: number }
  | { type: 'log-level'; level: LogLevel }
  /** Ends the process; nothing answers it but the exit. */
  | { type: 'close' };

/** The `order` of `begin`. */
export const BEGIN = 0;

/** Worker → primary. */
export type WorkerReport =
  | { type: 'link'; message: EdgeMessage }
  /** It has its first table: from now on it may listen. */
  | { type: 'began' }
  | { type: 'done'; order: number }
  | { type: 'failed'; order: number; code: string; message: string };
