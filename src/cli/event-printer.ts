import type { EventSink, PilotEvent } from '../model/events.ts';
import { printable } from '../util/printable.ts';

/** Longest line, characters. */
const LONGEST = 2000;

/** Events are shown as `12:03:04.123  hello  ready in 212 ms`, the services in a column of their own. */
export function createEventPrinter(services: readonly string[], print: (line: string) => void): EventSink {
  const width = Math.max(0, ...services.map((name) => name.length));
  return (event) => print(formatEvent(event, width));
}

/** @param width of the column of services, in characters */
function formatEvent({ at, service, message }: PilotEvent, width: number): string {
  const name = service ?? '';
  // Messages begin with the service's name, which has a column here.
  const text = name !== '' && message.startsWith(`${name} `) ? message.slice(name.length + 1) : message;
  // Messages quote what others wrote, such as labels of containers.
  return printable(`${timeOfDay(new Date(at))}  ${name.padEnd(width)}  ${text}`, LONGEST);
}

/** Local time, to the millisecond. */
function timeOfDay(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const millis = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}
