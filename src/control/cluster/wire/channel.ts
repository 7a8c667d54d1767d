import type { ChannelEnd } from '../../../util/channel.ts';

/** Sends what one side of channels says. */
export interface Sender<Out> {
  post(channel: number, message: Out): void;
  close(channel: number): void;
}

/** One end of a channel between an edge and control, over the connection of two members that others share. */
export class WireChannel<In, Out extends object> implements ChannelEnd<In, Out> {
  readonly #sender: Sender<Out>;
  readonly #channel: number;
  readonly #forget: () => void;
  #listener: ((message: In) => void) | undefined;
  #early: In[] = [];
  #closeListeners: (() => void)[] = [];
  #closed = false;

  /** @param forget takes it out of those that are open */
  constructor(sender: Sender<Out>, channel: number, forget: () => void) {
    this.#sender = sender;
    this.#channel = channel;
    this.#forget = forget;
  }

  post(message: Out): void {
    if (!this.#closed) this.#sender.post(this.#channel, message);
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
    this.#sender.close(this.#channel);
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
