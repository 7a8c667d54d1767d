import type { AttachEdge } from '../../../model/cluster.ts';
import { PilotlightError } from '../../../model/errors.ts';
import type { ControlMessage, EdgeMessage } from '../../../model/link.ts';
import { WireChannel } from './channel.ts';
import { type Frame, Kind, unpack } from './frame.ts';
import type { Hello } from './hello.ts';
import { Outbox } from './outbox.ts';
import type { Peer } from './peer.ts';
import type { OnLost } from './relay.ts';

type Channel = WireChannel<EdgeMessage, ControlMessage>;

interface OpenEdge {
  number: number;
  channel: Channel;
  edge: string;
  /** It did not acknowledge in time, and cannot be ended. */
  isAwaited: boolean;
}

/** Most edges of one member. */
const MAX_EDGES = 1024;

/** A member's connection, as the leader has it: its edges attach to the control plane here. */
export class Downstream {
  readonly hello: Hello;
  readonly peer: Peer;
  readonly #attach: AttachEdge;
  readonly #onLost: OnLost;
  readonly #nameOf: (edge: string) => string;
  readonly #channels = new Map<number, OpenEdge>();
  readonly #outbox: Outbox;
  #saidGoodbye = false;

  /** @param nameOf what an edge is called here, where two runs of the member are there at once */
  constructor(hello: Hello, peer: Peer, attach: AttachEdge, onLost: OnLost, nameOf = (edge: string) => edge) {
    this.hello = hello;
    this.peer = peer;
    this.#outbox = new Outbox(peer);
    this.#attach = attach;
    this.#onLost = onLost;
    this.#nameOf = nameOf;
  }

  get edges(): string[] {
    return Array.from(this.#channels.values(), ({ edge }) => edge);
  }

  /** @throws CLUSTER_PROTOCOL where it makes no sense */
  onFrame(frame: Frame): void {
    if (frame.kind === Kind.OPEN) this.#open(frame);
    else if (frame.kind === Kind.GOODBYE) this.#saidGoodbye = true;
    else if (frame.kind === Kind.MESSAGE) this.#receive(frame);
    else if (frame.kind === Kind.CLOSE) this.#channels.get(frame.channel)?.channel.closed();
    else throw new PilotlightError('CLUSTER_PROTOCOL', `a frame of the unknown kind ${frame.kind}`);
  }

  /**
   * An edge that is cut off goes on by what it was told last, unless its member ended in order.
   * @param resigned this member does not lead any more: nothing that happens to edges concerns its control plane
   */
  onClose(resigned: boolean): void {
    if (resigned) return;
    for (const { channel, edge } of [...this.#channels.values()]) {
      if (!this.#saidGoodbye) this.#onLost(edge);
      channel.closed();
    }
  }

  #receive(frame: Frame): void {
    const open = this.#channels.get(frame.channel);
    if (open === undefined) return;
    const message = unpack(frame) as EdgeMessage;
    if (message.type === 'ack') open.isAwaited = false;
    open.channel.receive(message);
  }

  #open(frame: Frame): void {
    const { edge: name, endable } = unpack(frame) as { edge: string; endable: boolean };
    const { channel: number } = frame;
    const isOwn = typeof name === 'string' && name.startsWith(`${this.hello.member}/`);
    if (!isOwn || this.#channels.has(number) || this.#channels.size >= MAX_EDGES) {
      throw new PilotlightError('CLUSTER_PROTOCOL', `an edge of ${this.hello.member} that cannot attach`);
    }
    const edge = this.#nameOf(name);
    const channel: Channel = new WireChannel(this.#outbox, number, () => {
      this.#channels.delete(number);
      this.#outbox.drop(number);
    });
    const open: OpenEdge = { number, channel, edge, isAwaited: false };
    this.#channels.set(number, open);
    this.#attach(edge, channel, () => {
      if (endable) this.peer.send(Kind.END, number);
      else this.#cutOffUnlessHeard(open);
    });
  }

  /**
   * The member's only process cannot be ended from here. It is waited for, a lease at most; without its link it counts as
   * out of sight until it is back.
   */
  #cutOffUnlessHeard(open: OpenEdge): void {
    open.isAwaited = true;
    this.peer.afterLease(() => {
      const isGone = !this.#channels.has(open.number);
      if (isGone || !open.isAwaited) return;
      this.peer.close(new PilotlightError('CLUSTER_LINK_FAILED', `${open.edge} does not do what it is told`));
    });
  }
}
