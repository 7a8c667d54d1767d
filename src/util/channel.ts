/** One end of an ordered message channel. Messages are plain data: what JSON can carry. */
export interface ChannelEnd<In, Out> {
  /** Sends; never throws, does nothing once closed. Delivery is asynchronous and in order. */
  post(message: Out): void;
  /** Sets the receiver (one per end). Messages that came before are delivered to it first. */
  onMessage(listener: (message: In) => void): void;
  /** Called once when either side closed the channel. */
  onClose(listener: () => void): void;
  close(): void;
}

class End<In, Out> implements ChannelEnd<In, Out> {
  peer!: End<Out, In>;
  #queue: In[] = [];
  #scheduled = false;
  #listener: ((message: In) => void) | undefined;
  #closeListeners: (() => void)[] = [];
  #closed = false;

  post(message: Out): void {
    if (!this.#closed) this.peer.receive(message);
  }

  receive(message: In): void {
    this.#queue.push(message);
    this.#schedule();
  }

  onMessage(listener: (message: In) => void): void {
    this.#listener = listener;
    if (this.#queue.length > 0) this.#schedule();
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#closeListeners.push(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#closeListeners.splice(0)) listener();
    this.peer.close();
  }

  #schedule(): void {
    if (this.#scheduled || this.#listener === undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const batch = this.#queue;
      this.#queue = [];
      for (const message of batch) this.#listener?.(message);
    });
  }
}

/** A channel within this process. Delivery is in a microtask, so that neither side is ever re-entered by its own post. */
export function createChannel<A, B>(): [ChannelEnd<A, B>, ChannelEnd<B, A>] {
  const left = new End<A, B>();
  const right = new End<B, A>();
  left.peer = right;
  right.peer = left;
  return [left, right];
}
