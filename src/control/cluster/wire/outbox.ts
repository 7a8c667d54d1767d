import { PilotlightError } from '../../../model/errors.ts';
import type { ControlMessage } from '../../../model/link.ts';
import { isKept, keepBehind } from '../kept-messages.ts';
import type { Sender } from './channel.ts';
import { Kind } from './frame.ts';
import type { Peer } from './peer.ts';
import { partsOf, type TableMessage } from './table-parts.ts';

/** Messages that wait behind a table, of all edges of a member: one that takes no table for so long is no use. */
const MAX_WAITING = 100_000;

/**
 * What the leader says to the edges of one member, to each in order. A table passes in pieces, one a turn and no faster
 * than the member reads: heartbeats and what others say are served between. What follows a table waits for its end.
 */
export class Outbox implements Sender<ControlMessage> {
  readonly #peer: Peer;
  /** By channel of an edge: the table that it waits for, and what comes behind. */
  readonly #waiting = new Map<number, ControlMessage[]>();
  #passing: ControlMessage | undefined;
  /** Of messages that wait, and of those that came while a table passes, whatever has become of them. */
  #count = 0;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  post(channel: number, message: ControlMessage): void {
    const queue = this.#waiting.get(channel);
    if (queue !== undefined && isKept(message)) this.#keep(queue, message);
    else if (message.type !== 'table') this.#peer.sendMessage(channel, message);
    else if (!this.#peer.sendAgain(channel, message)) {
      this.#waiting.set(channel, [message]);
      if (this.#passing === undefined) this.#next();
    }
  }

  close(channel: number): void {
    this.#peer.send(Kind.CLOSE, channel);
  }

  /** The edge is gone. */
  drop(channel: number): void {
    this.#waiting.delete(channel);
  }

  #keep(queue: ControlMessage[], message: ControlMessage): void {
    keepBehind(queue, message);
    if (++this.#count < MAX_WAITING) return;
    const words = `it reads too slowly: ${this.#count} messages wait for it behind a table`;
    this.#peer.close(new PilotlightError('CLUSTER_LINK_FAILED', words));
  }

  #next(): void {
    const [queue] = this.#waiting.values();
    const table = queue?.[0] as TableMessage | undefined;
    this.#passing = table;
    this.#count = 0;
    for (const { length } of this.#waiting.values()) this.#count += length;
    if (table !== undefined) this.#pass(table, 0);
  }

  #pass(table: TableMessage, number: number): void {
    const waiting = [...this.#waiting].filter(([, [first]]) => first === table);
    if (waiting.length === 0) {
      // Nobody waits for it any more: they are gone, or get a later one.
      this.#next();
      return;
    }
    const part = this.#peer.attempt(() => partsOf(table).at(number));
    if (part === undefined) return;
    this.#peer.sendPart(part.packed, part.isLast ? table : undefined);
    if (!part.isLast) {
      this.#peer.whenDrained(() => setImmediate(() => this.#pass(table, number + 1)));
      return;
    }
    for (const [channel] of waiting) {
      this.#waiting.delete(channel);
      this.#peer.sendAgain(channel, table);
    }
    for (const [channel, [, ...behind]] of waiting) {
      for (const message of behind) this.#peer.sendMessage(channel, message);
    }
    this.#next();
  }
}
