import type { AttachEdge, EdgeRelay, Leader } from '../../../model/cluster.ts';
import type { ControlMessage, EdgeMessage } from '../../../model/link.ts';
import { type ChannelEnd, createChannel } from '../../../util/channel.ts';
import type { Clock, Timer } from '../../../util/clock.ts';
import { RelayedEdge } from './relayed-edge.ts';

/** Edges of a member that leads are told so often that it still does, ms. */
const CONTACT_EVERY_MS = 1000;
/**
 * An edge uses replicas of ours for so long after it last heard of who leads, ms: after a minute more the leader may stop
 * them, whatever the edge does.
 */
const ALONE_MS = 9 * 60_000;

/** What is told when an edge's connection was lost: it may go on by what it was told last. */
export type OnLost = (edge: string) => void;

/** This member's connection to whoever leads. */
export interface UpstreamLink {
  /** Opens a channel for an edge. */
  open(edge: RelayedEdge): ChannelEnd<ControlMessage, EdgeMessage>;
}

/** Edges of other members, while this one leads. */
export interface RemoteEdges {
  lead(index: number, attach: AttachEdge, onLost: OnLost): void;
  /** This member does not lead any more: who comes is sent away. */
  resign(): void;
}

/** Connects to a leader, again and again, until it is told of another one. */
export interface Follower {
  follow(leader: Leader | undefined): void;
}

type Standing =
  | { kind: 'unled' }
  | { kind: 'leading'; attach: AttachEdge; timer: Timer }
  | { kind: 'following'; upstream: UpstreamLink | undefined };

/** Joins the edges of a member to the control plane that leads: its own, or another one's over the wire. */
export class Relay implements EdgeRelay {
  readonly #clock: Clock;
  readonly #member: string;
  readonly #remote: RemoteEdges;
  readonly #follower: Follower;
  readonly #aloneMs: number;
  readonly #edges = new Map<string, RelayedEdge>();
  #standing: Standing = { kind: 'unled' };
  #members = 1;
  /** The highest of a lock that was heard of: whoever comes with a lower one led once. */
  #highest = 0;

  constructor(clock: Clock, member: string, remote: RemoteEdges, follower: Follower, aloneMs = ALONE_MS) {
    this.#clock = clock;
    this.#member = member;
    this.#remote = remote;
    this.#follower = follower;
    this.#aloneMs = aloneMs;
  }

  attach(edge: string, link: ChannelEnd<EdgeMessage, ControlMessage>, end?: () => void): void {
    const name = `${this.#member}/${edge}`;
    this.#edges.get(name)?.close();
    const relayed = new RelayedEdge(name, link, end, this.#aloneMs);
    this.#edges.set(name, relayed);
    if (this.#members > 1) relayed.setMembers(this.#members);
    link.onClose(() => {
      relayed.ended();
      if (this.#edges.get(name) === relayed) this.#edges.delete(name);
    });
    this.#join(relayed);
  }

  lead(index: number, attach: AttachEdge, onLost: OnLost = () => undefined): void {
    if (index < this.#highest) return;
    this.#highest = index;
    this.#leave();
    this.#follower.follow(undefined);
    const timer = this.#clock.every(CONTACT_EVERY_MS, () => this.noteContact());
    this.#standing = { kind: 'leading', attach, timer };
    this.#remote.lead(index, attach, onLost);
    for (const edge of this.#edges.values()) this.#join(edge);
  }

  follow(leader: Leader | undefined): void {
    if (leader !== undefined && leader.index < this.#highest) return;
    this.#highest = leader?.index ?? this.#highest;
    this.#leave();
    if (leader !== undefined) this.#standing = { kind: 'following', upstream: undefined };
    this.#follower.follow(leader);
  }

  /** The leader took this member's connection. */
  linked(upstream: UpstreamLink): void {
    if (this.#standing.kind !== 'following') return;
    this.#standing = { kind: 'following', upstream };
    for (const edge of this.#edges.values()) this.#join(edge);
  }

  /** That connection is gone; its channels are closed. */
  unlinked(): void {
    if (this.#standing.kind === 'following') this.#standing = { kind: 'following', upstream: undefined };
  }

  setMembers(count: number): void {
    if (count === this.#members) return;
    this.#members = count;
    for (const edge of this.#edges.values()) edge.setMembers(count);
  }

  noteContact(): void {
    for (const edge of this.#edges.values()) edge.noteContact();
  }

  async close(): Promise<void> {
    for (const edge of [...this.#edges.values()]) edge.close();
    this.follow(undefined);
  }

  get edges(): string[] {
    return [...this.#edges.keys()];
  }

  #leave(): void {
    const standing = this.#standing;
    this.#standing = { kind: 'unled' };
    if (standing.kind === 'leading') {
      standing.timer.cancel();
      this.#remote.resign();
    }
    for (const edge of this.#edges.values()) edge.part();
  }

  #join(edge: RelayedEdge): void {
    const standing = this.#standing;
    if (standing.kind === 'leading') {
      const [below, above] = createChannel<ControlMessage, EdgeMessage>();
      edge.join(below);
      standing.attach(edge.name, above, edge.end);
    } else if (standing.kind === 'following' && standing.upstream !== undefined) {
      edge.join(standing.upstream.open(edge));
    }
  }
}
