import type { ChannelEnd } from '../../../util/channel.ts';
import { Kind, type Packed, pack } from './frame.ts';
import type { Peer } from './peer.ts';

/** What goes to many edges at once is made ready once. */
const packed = new WeakMap<object, Packed>();

function packOnce(message: object): Packed {
  const known = packed.get(message);
  if (known !== undefined) return known;
  const made = pack(message);
  packed.set(message, made);
  return made;
}

/** One end of a channel between an edge and control, over the connection of two members that others share. */
export class WireChannel<In, Out extends object> implements ChannelEnd<In, Out> {
  readonly #peer: Peer;
  readonly #channel: number;
  readonly #forget: () => void;
  #listener: ((message: In) => void) | undefined;
  #early: In[] = [];
  #closeListeners: (() => void)[] = [];
  #closed = false;

  /** @param forget takes it out of those that are open */
  constructor(peer: Peer, channel: number, forget: () => void) {
    this.#peer = peer;
    this.#channel = channel;
    this.#forget = forget;
  }

  post(message: Out): void {
    if (!this.#closed) this.#peer.sendMessage(this.#channel, packOnce(message));
  }

  onMessage(listener: (message: In) => void): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    // As of other channels: nobody is called before it has done what it does now.
    queueMicrotask(() => {
      for (const message of early) listener(message);
    });
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#closeListeners.push(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#peer.send(Kind.CLOSE, this.#channel);
    this.closed();
  }

  receive(message: In): void {
    if (this.#closed) return;
    if (this.#listener === undefined) this.#early.push(message);
    else this.#listener(message);
  }

  /** The other side closed it, or the connection is gone. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
}
