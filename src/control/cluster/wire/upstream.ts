import { PilotlightError } from '../../../model/errors.ts';
import type { ControlMessage, EdgeMessage } from '../../../model/link.ts';
import type { ChannelEnd } from '../../../util/channel.ts';
import { WireChannel } from './channel.ts';
import { type Frame, Kind, unpack } from './frame.ts';
import type { Peer } from './peer.ts';
import type { UpstreamLink } from './relay.ts';
import type { RelayedEdge } from './relayed-edge.ts';
import { TableAssembly } from './table-parts.ts';

type Channel = WireChannel<ControlMessage, EdgeMessage>;

/** A member's connection to the leader, which took it: a channel for each of its edges. */
export class Upstream implements UpstreamLink {
  readonly peer: Peer;
  readonly #channels = new Map<number, { channel: Channel; edge: RelayedEdge }>();
  #count = 0;
  readonly #table = new TableAssembly();
  /** What the edges have of it lies in the same memory. */
  #last: ControlMessage | undefined;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  open(edge: RelayedEdge): ChannelEnd<ControlMessage, EdgeMessage> {
    const number = ++this.#count;
    this.peer.send(Kind.OPEN, number, { edge: edge.name, endable: edge.end !== undefined });
    const sender = {
      post: (to: number, message: EdgeMessage) => this.peer.sendMessage(to, message),
      close: (to: number) => this.peer.send(Kind.CLOSE, to),
    };
    const channel: Channel = new WireChannel(sender, number, () => this.#channels.delete(number));
    this.#channels.set(number, { channel, edge });
    return channel;
  }

  /** @throws CLUSTER_PROTOCOL where it makes no sense */
  onFrame(frame: Frame): void {
    const { kind, channel } = frame;
    if (kind === Kind.PART) this.#last = this.#table.add(unpack(frame)) ?? this.#last;
    else if (kind === Kind.ALSO) for (const each of unpack(frame) as number[]) this.#receive(each);
    else if (kind === Kind.MESSAGE) {
      this.#last = unpack(frame) as ControlMessage;
      this.#receive(channel);
    } else if (kind === Kind.CLOSE) this.#channels.get(channel)?.channel.closed();
    else if (kind === Kind.END) this.#channels.get(channel)?.edge.end?.();
    else throw new PilotlightError('CLUSTER_PROTOCOL', `a frame of the unknown kind ${kind}`);
  }

  /** What was sent before it was closed here is on its way. */
  #receive(channel: number): void {
    if (this.#last === undefined) throw new PilotlightError('CLUSTER_PROTOCOL', 'a message that did not come before');
    this.#channels.get(channel)?.channel.receive(this.#last);
  }

  onClose(): void {
    for (const { channel } of [...this.#channels.values()]) channel.closed();
  }
}
