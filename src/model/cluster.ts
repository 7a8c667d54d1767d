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

/** What is known of who leads. */
export interface LockState {
  /** Undefined: nobody holds the lock. */
  leader: Leader | undefined;
  /** The session that holds it. */
  session: string | undefined;
  /** Of the last change of the lock. */
  index: number;
  /** All that have entered themselves and did not leave. */
  members: readonly MemberRecord[];
}

/** What a member leaves for the next leader. */
export interface MemberRecord {
  member: string;
  address: HostPort;
  /** Of the last leader that led its edges; 0: none did. */
  index: number;
  /** Of the leader that it has no connection to, though it tries; absent: it has one. */
  unreached?: number | undefined;
}

/**
 * The lock that the leader holds. A session that is not renewed within its TTL ends, and gives the lock back, after
 * once to twice the TTL. All methods throw DISCOVERY_UNREACHABLE and DISCOVERY_FAILED.
 */
export interface LeaderLock {
  /** Begins a session. */
  open(signal: AbortSignal): Promise<string>;
  /** @returns whether the session still is there */
  renew(session: string, signal: AbortSignal): Promise<boolean>;
  /** @returns whether the session holds the lock now; its index comes with `follow` */
  acquire(session: string, signal: AbortSignal): Promise<boolean>;
  /** Gives the lock back at once, and ends the session. */
  end(session: string, signal: AbortSignal): Promise<void>;
  /** Enters this member, or what has changed of it. */
  enter(record: MemberRecord, signal: AbortSignal): Promise<void>;
  /** Takes a member's record away. */
  leave(member: string, signal: AbortSignal): Promise<void>;
  /** What is known now. */
  look(signal: AbortSignal): Promise<LockState>;
  /** Tells every change until aborted. */
  follow(take: (state: LockState) => void, signal: AbortSignal): void;
}

/** Values beside the lock, which only its holder changes. Both throw DISCOVERY_UNREACHABLE and DISCOVERY_FAILED. */
export interface SharedValues {
  /** Where they are, for people. */
  readonly place: string;
  /** All that are there, by name. */
  read(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /**
   * Sets a value, or takes it away.
   * @param index of the lock, under which this member leads
   * @returns whether it did: another one leads where it did not
   */
  write(name: string, value: string | undefined, index: number, signal: AbortSignal): Promise<boolean>;
}

/** Takes an edge into service; see `Control.attach`. */
export type AttachEdge = (edge: string, link: ChannelEnd<EdgeMessage, ControlMessage>, end?: () => void) => void;

/**
 * Where the edges of this member attach, whoever leads. An edge sees one link for all its life: while nobody leads, it
 * serves what it was told last.
 */
export interface EdgeRelay {
  /** Names of the edges of this member. */
  readonly edges: readonly string[];
  attach: AttachEdge;
  /**
   * This member leads: its edges, and those of others that come over the wire, attach to this control plane. Of an index
   * that is lower than one heard of, nothing is taken.
   * @param onLost told of an edge right before its link closes where that was not its end: it may go on by what it was
   *   told last. It is back when it attaches again, under the same name
   */
  lead(index: number, attach: AttachEdge, onLost?: (edge: string) => void): void;
  /**
   * Another member leads, or nobody is known to: undefined. The control plane that led is told nothing more of edges: they
   * do not end with it.
   */
  follow(leader: Leader | undefined): void;
  /** Tells the edges of this member how many act as one, itself included. */
  setMembers(count: number): void;
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
  /** Leader: whether members that are here still have something to get. */
  readonly isSending: boolean;
  /** Member: a file came whole. */
  onFile(take: (path: string, content: Uint8Array) => void): void;
}

/** How a cluster stands, as one of its members tells it. */
export interface ClusterStatus {
  name: string;
  /** The member that was asked. */
  self: string;
  /** Null: nobody is known to lead. */
  leader: { member: string; index: number } | null;
  /** Who orders certificates and has the keys of session tickets replaced; null: nobody does now. */
  orders: string | null;
  /** What keeps the member that was asked from Consul or from the leader; null where nothing does. */
  trouble: string | null;
  /** All that are known, by name. */
  members: ClusterMemberStatus[];
  /** The leader has just begun, and waits for members that led edges before: edges go on by what they were told last. */
  isSettling: boolean;
  /** Members and edges that are out of sight: what they may use is not stopped without need. */
  absent: string[];
}

/** What the leader tells of all members. */
export type ClusterStanding = Pick<ClusterStatus, 'members' | 'isSettling' | 'absent'>;

export interface ClusterMemberStatus {
  member: string;
  /** Ms since the leader heard of it, 0 of itself; null where it has no connection to the leader, or that is not known. */
  silentMs: number | null;
  /** Its edges that the leader has. */
  edges: string[];
  /** Version of its program; null where it has no connection to the leader. */
  build: string | null;
  /** Of the last leader that led its edges, by its record; 0: none did; null: it has none. */
  index: number | null;
}

/** A member as the leader sees it. */
export interface MemberStanding {
  member: string;
  address: HostPort;
  /** Version of its program. */
  build: string;
  edges: readonly string[];
  /** Ms since it was last heard. */
  silentMs: number;
}
