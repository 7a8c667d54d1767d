import type { ServerResponse } from 'node:http';
import type { ControlApi } from '../model/status.ts';
import type { Clock } from '../util/clock.ts';
import { type Problem, sendProblem } from './problem.ts';

/** Streams at once; each costs a socket and a backlog. */
const MAX_SUBSCRIBERS = 32;
/** Backlog at which a subscriber that does not read is cut off, bytes. */
const MAX_BACKLOG = 256 * 1024;
/** Pause between comments that keep the stream alive through what stands between, ms. */
const HEARTBEAT_MS = 15_000;

/** The answer to one subscriber more than may be. */
export const tooManySubscribers: Problem = {
  status: 503,
  title: 'Too many subscribers',
  code: 'TOO_MANY_SUBSCRIBERS',
  headers: { 'Retry-After': '5' },
};

/** Sends events to whoever listens, in the format of server-sent events (text/event-stream). */
export class EventStreams {
  readonly #api: ControlApi;
  readonly #clock: Clock;
  readonly #open = new Set<ServerResponse>();

  constructor(api: ControlApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Answers with the stream of what happens from now on, until the client goes or the server closes. */
  serve(response: ServerResponse): void {
    if (this.#open.size >= MAX_SUBSCRIBERS) {
      sendProblem(response, tooManySubscribers);
      return;
    }
    if (!beginStream(response)) return;
    this.#open.add(response);
    const unsubscribe = this.#api.subscribe((event) => write(response, formatEvent(event.type, event)));
    const heartbeat = this.#clock.every(HEARTBEAT_MS, () => write(response, ':\n\n'));
    response.once('close', () => {
      this.#open.delete(response);
      heartbeat.cancel();
      unsubscribe();
    });
  }

  /** Ends every stream. */
  close(): void {
    for (const response of this.#open) response.end();
  }
}

/** Sends the head of a stream. @returns false where that is all that was asked for, or the client is gone */
export function beginStream(response: ServerResponse): boolean {
  // It would tell of its end no more.
  if (response.destroyed) return false;
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', Connection: 'close' });
  if (response.req.method === 'HEAD') {
    response.end();
    return false;
  }
  response.write(': listening\n\n');
  return true;
}

/** One message of a stream. */
export function formatEvent(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function write(response: ServerResponse, text: string): void {
  if (response.writableLength > MAX_BACKLOG) response.destroy();
  else if (!response.writableEnded) response.write(text);
}
