import { type EventSink, type EventType, type PilotEvent, troubles } from '../model/events.ts';
import type { Logger } from '../model/observe.ts';
import type { Clock } from '../util/clock.ts';

/** The events of the control plane and those of the proxy itself, in one stream. */
interface JoinedEvents {
  /** @returns ends the subscription */
  subscribe(sink: EventSink): () => void;
  /** Something that the proxy itself has to say. */
  emit(type: EventType, message: string, data: PilotEvent['data']): void;
}

/** Passes all events to the log, to whoever booted the proxy and to subscribers. */
export function joinEvents(
  control: { subscribe(sink: EventSink): unknown },
  clock: Clock,
  logger: Logger,
  onEvent: EventSink,
): JoinedEvents {
  const sinks = new Set<EventSink>([
    onEvent,
    ({ type, service, message, data }) =>
      logger[troubles.has(type) ? 'warn' : 'info']({ event: type, service, ...data }, message),
  ]);
  const pass: EventSink = (event) => {
    for (const sink of sinks) sink(event);
  };
  control.subscribe(pass);
  return {
    subscribe(sink) {
      sinks.add(sink);
      return () => sinks.delete(sink);
    },
    emit(type, message, data) {
      pass({ at: new Date(clock.wall()).toISOString(), type, service: null, message, data });
    },
  };
}
