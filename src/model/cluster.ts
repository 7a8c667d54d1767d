import type { ChannelEnd } from '../util/channel.ts';
import type { ControlMessage, EdgeMessage } from './link.ts';
import type { HostPort } from './settings.ts';

/** Several proxies that act as one: what a member knows of the others, and the ports between those who see to it. */

/** Who leads, as the lock says. */
export interface Leader {
  /** The member's name, unique in the cluster. */
  member: string;
  /** Where members reach it. */
  address: HostPort;
  /** Of the lock: grows with every change of leader. What bears a lower one is of a leader that was. */
  index: number;
}

/** Takes an edge into service; see `Control.attach`. */
export type AttachEdge = (edge: string, link: ChannelEnd<EdgeMessage, ControlMessage>, end?: () => void) => void;

/**
 * Where the edges of this member attach, whoever leads. An edge sees one link for all its life: while nobody leads, it
 * serves what it was told last.
 */
export interface EdgeRelay {
  attach: AttachEdge;
  /** This member leads: its edges, and those of others that come over the wire, attach to this control plane. */
  lead(index: number, attach: AttachEdge): void;
  /** Another member leads, or nobody is known to: undefined. */
  follow(leader: Leader | undefined): void;
  close(): Promise<void>;
}

/** Questions of a member to the leader, answered by what `serve` was given last. */
export interface LeaderCalls {
  /** What members may ask of this one while it leads. `emit` carries a stream, until its signal is aborted. */
  serve(
    answer: (method: string, args: unknown[], emit: (item: unknown) => void, signal: AbortSignal) => Promise<unknown>,
  ): void;
  /** @throws CLUSTER_UNLED where nobody leads or the leader does not answer in time; else what the leader threw, by its code */
  call(method: string, args: unknown[], signal: AbortSignal): Promise<unknown>;
  stream(method: string, args: unknown[], take: (item: unknown) => void, signal: AbortSignal): void;
}

/** Files that the leader keeps and the members have copies of, by a path relative to the state directory. */
export interface SharedFiles {
  /** Leader: sends to every member, now and as it comes; only what differs from what it has. */
  ship(path: string, content: Uint8Array): void;
  /** Member: a file came whole. */
  onFile(take: (path: string, content: Uint8Array) => void): void;
}

/** A member as the leader sees it. */
export interface MemberStanding {
  member: string;
  address: HostPort;
  edges: readonly string[];
  /** Ms since it was last heard. */
  silentMs: number;
}
