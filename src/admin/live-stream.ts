import type { ServerResponse } from 'node:http';
import type { LiveState } from '../model/live.ts';
import type { Logger } from '../model/observe.ts';
import type { ControlApi, ServiceStatus } from '../model/status.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { beginStream, formatEvent, tooManySubscribers } from './event-stream.ts';
import { sendProblem } from './problem.ts';

/** Streams at once; each may have a whole state in its backlog. */
const MAX_SUBSCRIBERS = 16;
/** Pause between two states, ms. */
const EVERY_MS = 1000;
/** Backlog from which on a subscriber is told nothing more until it has read all of it, bytes. */
const MAX_BACKLOG = 64 * 1024;
/** Events that wait for the next state at most; older ones are left out. */
const MAX_EVENTS = 500;

/** `behind`: it has not read what it was sent, has missed something since, and gets the whole state once it has. */
interface Subscriber {
  state: 'following' | 'behind';
}

/**
 * Tells subscribers once a second how services stand (`state`: first all of them, then those that changed), and what
 * happens in between. The state is collected once for all of them, and only while there are any.
 */
export class LiveStreams {
  readonly #api: ControlApi;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #subscribers = new Map<ServerResponse, Subscriber>();
  /** As told last, as JSON by name. */
  #told = new Map<string, string>();
  #events: string[] = [];
  #timer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;
  #isCollecting = false;

  constructor(api: ControlApi, clock: Clock, logger: Logger) {
    this.#api = api;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Answers with the stream, until the client goes or the server closes. */
  serve(response: ServerResponse): void {
    if (this.#subscribers.size >= MAX_SUBSCRIBERS) {
      sendProblem(response, tooManySubscribers);
      return;
    }
    if (!beginStream(response)) return;
    this.#subscribers.set(response, { state: 'behind' });
    response.once('close', () => this.#leave(response));
    this.#timer ??= this.#clock.every(EVERY_MS, () => void this.#tell());
    this.#unsubscribe ??= this.#api.subscribe((event) => {
      this.#events.push(formatEvent(event.type, event));
      if (this.#events.length > MAX_EVENTS) this.#events.shift();
    });
    void this.#tell();
  }

  /** Ends every stream. */
  close(): void {
    for (const response of this.#subscribers.keys()) response.end();
  }

  #leave(response: ServerResponse): void {
    this.#subscribers.delete(response);
    if (this.#subscribers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#events = [];
    this.#told.clear();
  }

  async #tell(): Promise<void> {
    if (this.#isCollecting) return;
    this.#isCollecting = true;
    try {
      this.#send(await this.#api.services());
    } catch (error) {
      this.#logger.error({ err: error }, 'the state for live views cannot be collected');
    } finally {
      this.#isCollecting = false;
    }
  }

  #send(services: readonly ServiceStatus[]): void {
    if (this.#subscribers.size === 0) return;
    const now = new Map(services.map((service) => [service.name, JSON.stringify(service)]));
    const changed = [...now].filter(([name, json]) => this.#told.get(name) !== json).map(([, json]) => json);
    const gone = [...this.#told.keys()].filter((name) => !now.has(name));
    this.#told = now;
    const happened = this.#events.splice(0).join('');
    const at = new Date(this.#clock.wall()).toISOString();
    const change = stateMessage({ at, isWhole: false, gone }, changed);
    let whole: string | undefined;
    for (const [response, subscriber] of this.#subscribers) {
      if (response.writableEnded) continue;
      if (response.writableLength > MAX_BACKLOG) {
        subscriber.state = 'behind';
      } else if (subscriber.state === 'behind') {
        whole ??= stateMessage({ at, isWhole: true, gone: [] }, [...now.values()]);
        subscriber.state = 'following';
        response.write(happened + whole);
      } else response.write(happened + change);
    }
  }
}

/** @param services JSON of each */
function stateMessage(head: Omit<LiveState, 'services'>, services: readonly string[]): string {
  return `event: state\ndata: ${JSON.stringify(head).slice(0, -1)},"services":[${services.join(',')}]}\n\n`;
}
