import { PilotlightError } from '../../../model/errors.ts';
import type { ControlMessage, EdgeMessage } from '../../../model/link.ts';
import type { ChannelEnd } from '../../../util/channel.ts';
import { WireChannel } from './channel.ts';
import { type Frame, Kind, unpack } from './frame.ts';
import type { Peer } from './peer.ts';
import type { UpstreamLink } from './relay.ts';
import type { RelayedEdge } from './relayed-edge.ts';

type Channel = WireChannel<ControlMessage, EdgeMessage>;

/** A member's connection to the leader, which took it: a channel for each of its edges. */
export class Upstream implements UpstreamLink {
  readonly peer: Peer;
  readonly #channels = new Map<number, { channel: Channel; edge: RelayedEdge }>();
  #count = 0;
  /** What the edges have of it lies in the same memory. */
  #lastLarge: ControlMessage | undefined;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  open(edge: RelayedEdge): ChannelEnd<ControlMessage, EdgeMessage> {
    const number = ++this.#count;
    this.peer.send(Kind.OPEN, number, { edge: edge.name, endable: edge.end !== undefined });
    const channel: Channel = new WireChannel(this.peer, number, () => this.#channels.delete(number));
    this.#channels.set(number, { channel, edge });
    return channel;
  }

  /** @throws CLUSTER_PROTOCOL where it makes no sense */
  onFrame(frame: Frame): void {
    const message = frame.kind === Kind.MESSAGE ? (unpack(frame) as ControlMessage) : undefined;
    if (frame.isLarge) this.#lastLarge = message;
    const open = this.#channels.get(frame.channel);
    // What was sent before it was closed here is on its way.
    if (open === undefined) return;
    if (message !== undefined) open.channel.receive(message);
    else if (frame.kind === Kind.SAME && this.#lastLarge !== undefined) open.channel.receive(this.#lastLarge);
    else if (frame.kind === Kind.CLOSE) open.channel.closed();
    else if (frame.kind === Kind.END) open.edge.end?.();
    else throw new PilotlightError('CLUSTER_PROTOCOL', `a frame of the unknown kind ${frame.kind}`);
  }

  onClose(): void {
    for (const { channel } of [...this.#channels.values()]) channel.closed();
  }
}
