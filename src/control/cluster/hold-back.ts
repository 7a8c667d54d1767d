import type { ControlMessage, EdgeMessage } from '../../model/link.ts';
import type { ChannelEnd } from '../../util/channel.ts';
import { isKept, keepBehind } from './kept-messages.ts';

type Link = ChannelEnd<EdgeMessage, ControlMessage>;

/**
 * What a new leader says of routes and endpoints, kept from the edges until it knows what runs: they go on by what they
 * were told last, and do not lose an endpoint that nobody has looked at yet. Probes and questions pass.
 */
export class HoldBack {
  #kept: Map<Link, ControlMessage[]> | undefined = new Map();

  /** The link of an edge, for the control plane. */
  wrap(link: Link): Link {
    this.#kept?.set(link, []);
    link.onClose(() => this.#kept?.delete(link));
    return {
      post: (message) => this.#post(link, message),
      onMessage: (listener) => link.onMessage(listener),
      onClose: (listener) => link.onClose(listener),
      close: () => link.close(),
    };
  }

  /** What ends an edge, for the control plane: not as long as the edge has not heard what it does not answer. */
  wrapEnd(end: (() => void) | undefined): (() => void) | undefined {
    if (end === undefined) return undefined;
    return () => {
      if (this.#kept === undefined) end();
    };
  }

  /** Tells the edges what was kept from them, and all that follows as it comes. */
  release(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    for (const [link, messages] of kept ?? []) for (const message of messages) link.post(message);
  }

  #post(link: Link, message: ControlMessage): void {
    const messages = this.#kept?.get(link);
    if (messages === undefined || !isKept(message)) {
      link.post(message);
      return;
    }
    keepBehind(messages, message);
  }
}
