import type { EventSink, EventType } from '../../model/events.ts';
import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import type { EventEmitter } from '../context.ts';

/** Hands every event to whoever subscribed. */
export class EventBus implements EventEmitter {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sinks = new Set<EventSink>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  emit(
    type: EventType,
    service: string | null,
    message: string,
    data: Record<string, string | number | boolean> = {},
  ): void {
    const event = { at: new Date(this.#clock.wall()).toISOString(), type, service, message, data };
    for (const sink of this.#sinks) {
      try {
        sink(event);
      } catch (cause) {
        this.#logger.error({ cause: String(cause) }, 'an event sink failed');
      }
    }
  }

  /** @returns ends the subscription */
  subscribe(sink: EventSink): () => void {
    // A wrapper, so that the same sink may subscribe twice and leave once.
    const entry: EventSink = (event) => sink(event);
    this.#sinks.add(entry);
    return () => this.#sinks.delete(entry);
  }
}
