import type { ControlMessage, EdgeMessage } from '../../model/link.ts';
import type { ServiceState } from '../../model/snapshot.ts';
import type { ChannelEnd } from '../../util/channel.ts';
import { isKept } from './kept-messages.ts';

type Link = ChannelEnd<EdgeMessage, ControlMessage>;
type TableMessage = Extract<ControlMessage, { type: 'table' }>;

/**
 * What a new leader says of routes and endpoints, kept from the edges until it knows what runs: they go on by what they
 * were told last, and do not lose an endpoint that nobody has looked at yet. Probes and questions pass.
 */
export class HoldBack {
  #kept: Map<Link, ControlMessage[]> | undefined = new Map();
  /** All edges are told the same of routes and endpoints: the last table, and what was said of services since. */
  #table: TableMessage | undefined;
  readonly #states = new Map<string, ServiceState>();
  #version = 0;

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

  /**
   * Tells the edges what was kept from them, and all that follows as it comes. Of routes and endpoints it is one message:
   * between two an edge would know of nothing that runs.
   */
  release(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    const table = this.#whole();
    // It would be kept for the whole term, and that of many services is large.
    this.#table = undefined;
    this.#states.clear();
    for (const [link, messages] of kept ?? []) {
      if (table !== undefined) link.post(table);
      for (const message of messages) link.post(message);
    }
  }

  #post(link: Link, message: ControlMessage): void {
    const messages = this.#kept?.get(link);
    if (messages === undefined || !isKept(message)) link.post(message);
    else if (message.type === 'table') this.#noteTable(message);
    else if (message.type === 'service') this.#noteState(message.version, message.state);
    // Slots are granted once, and to one edge.
    else messages.push(message);
  }

  /** It says all that was said before. */
  #noteTable(message: TableMessage): void {
    if (message.version <= this.#version) return;
    this.#version = message.version;
    this.#table = message;
    this.#states.clear();
  }

  #noteState(version: number, state: ServiceState): void {
    if (version <= this.#version) return;
    this.#version = version;
    this.#states.set(state.service, state);
  }

  #whole(): TableMessage | undefined {
    if (this.#table === undefined || this.#states.size === 0) return this.#table;
    const before = this.#table.states.filter(({ service }) => !this.#states.has(service));
    return { ...this.#table, version: this.#version, states: [...before, ...this.#states.values()] };
  }
}
