import type { ControlMessage } from '../../model/link.ts';

/** Whether a message waits where others do: probes and questions pass, as they are about no state of the edge. */
export function isKept({ type }: ControlMessage): boolean {
  return type !== 'probe' && type !== 'cancel-probe' && type !== 'collect';
}

/**
 * Puts a message behind those that wait for an edge. A table says all that was said before of routes and endpoints, and is
 * the first from then on; it says nothing of slots, which are granted once.
 */
export function keepBehind(messages: ControlMessage[], message: ControlMessage): void {
  if (message.type !== 'table') {
    messages.push(message);
    return;
  }
  const others = messages.filter(({ type }) => type !== 'table' && type !== 'service');
  messages.splice(0, messages.length, message, ...others);
}
