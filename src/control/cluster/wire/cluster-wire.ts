import { randomBytes } from 'node:crypto';
import type {
  AttachEdge,
  EdgeRelay,
  Leader,
  LeaderCalls,
  MemberStanding,
  SharedFiles,
} from '../../../model/cluster.ts';
import type { PilotlightError } from '../../../model/errors.ts';
import type { Logger } from '../../../model/observe.ts';
import type { HostPort } from '../../../model/settings.ts';
import type { Clock } from '../../../util/clock.ts';
import { Calls } from './calls.ts';
import { Dialler, type Taken } from './dialler.ts';
import { Downstream } from './downstream.ts';
import { Files } from './files.ts';
import { Kind } from './frame.ts';
import type { Hello } from './hello.ts';
import { type Guest, WireListener } from './listener.ts';
import type { Peer } from './peer.ts';
import { type OnLost, Relay, type RemoteEdges } from './relay.ts';
import { wireKey } from './secret.ts';
import { Upstream } from './upstream.ts';

/** A link that is silent for so long is closed by both sides, ms. */
const LEASE_MS = 5000;

export interface ClusterWireOptions {
  clock: Clock;
  logger: Logger;
  /** The cluster's name, and what its members prove themselves by. */
  cluster: string;
  secret: string;
  /** This member's name, unique in the cluster, and where the others reach it. */
  member: string;
  advertise: HostPort;
  /** Version of the program. */
  build: string;
  leaseMs?: number;
  /** For how long an edge uses replicas of ours without a leader, ms. */
  aloneMs?: number | undefined;
  /** In [0, 1), for jitter. */
  random?: () => number;
}

/** What passes between the members of a cluster. */
export interface ClusterWire {
  /** Version of this member's program. */
  readonly build: string;
  readonly relay: EdgeRelay;
  readonly calls: LeaderCalls;
  readonly files: SharedFiles;
  /** The other members whose connections this one has, while it leads. */
  readonly members: MemberStanding[];
  /** Why this member has no connection to the leader; undefined: it has one, or knows of none. */
  readonly trouble: PilotlightError | undefined;
  /**
   * Listens for members; only those that come while this one leads are taken.
   * @throws ADDRESS_IN_USE, ADDRESS_FORBIDDEN
   */
  listen(address: HostPort): Promise<HostPort>;
  /** Listens no more, until `listen`: another process of this member does. Its own connection stays. */
  unlisten(): Promise<void>;
  /** Says goodbye: what this member's edges had is gone with it. */
  close(): Promise<void>;
}

export function createClusterWire(options: ClusterWireOptions): ClusterWire {
  return new Wire(options);
}

/** The control plane of this member, while it leads. */
interface Leading {
  index: number;
  attach: AttachEdge;
  onLost: OnLost;
}

class Wire implements ClusterWire, RemoteEdges {
  readonly relay: Relay;
  readonly calls: Calls;
  readonly files = new Files();
  readonly build: string;
  readonly #listener: WireListener;
  readonly #dialler: Dialler;
  /** By the run of the member that it is. */
  readonly #guests = new Map<string, Downstream>();
  #upstream: Upstream | undefined;
  #leading: Leading | undefined;

  constructor(options: ClusterWireOptions) {
    const { clock, logger, cluster, secret, member, advertise, build } = options;
    const { leaseMs = LEASE_MS, random = Math.random } = options;
    const key = wireKey(secret, cluster);
    const life = randomBytes(8).toString('hex');
    this.calls = new Calls(clock);
    this.build = build;
    this.#listener = new WireListener({
      clock,
      logger,
      key,
      leaseMs,
      self: () => ({ cluster, member, build, leading: this.#leading?.index }),
      welcome: (hello, peer) => this.#welcome(hello, peer),
    });
    this.#dialler = new Dialler({
      clock,
      logger,
      key,
      leaseMs,
      random,
      self: { cluster, member, build, life, address: advertise },
      onTaken: (leader, peer) => this.#taken(leader, peer),
    });
    this.relay = new Relay(clock, member, this, this.#dialler, options.aloneMs);
  }

  get members(): MemberStanding[] {
    return Array.from(this.#guests.values(), ({ hello: { member, address, build }, edges, peer: { silentMs } }) => ({
      member,
      address,
      build,
      edges,
      silentMs: Math.round(silentMs),
    }));
  }

  get trouble(): PilotlightError | undefined {
    return this.#dialler.trouble;
  }

  listen(address: HostPort): Promise<HostPort> {
    return this.#listener.listen(address);
  }

  unlisten(): Promise<void> {
    return this.#listener.close();
  }

  async close(): Promise<void> {
    this.#upstream?.peer.send(Kind.GOODBYE, 0);
    await this.relay.close();
    await this.#listener.close();
  }

  lead(index: number, attach: AttachEdge, onLost: OnLost): void {
    this.#leading = { index, attach, onLost };
    this.calls.target('self');
  }

  resign(): void {
    this.#leading = undefined;
    this.calls.target(undefined);
    this.files.resign();
    this.#listener.dismiss();
  }

  /** A member came, and this one leads. */
  #welcome(hello: Hello, peer: Peer): Guest {
    const leading = this.#leading as Leading;
    const { life, member } = hello;
    // It has lost its connection sooner than this side.
    this.#guests.get(life)?.peer.close();
    // At an upgrade the process before is there for a while, and its edges use replicas as others do.
    const isSecond = [...this.#guests.values()].some((guest) => guest.hello.member === member);
    const nameOf = isSecond ? (edge: string) => `${edge}~${life.slice(0, 4)}` : undefined;
    const guest = new Downstream(hello, peer, leading.attach, leading.onLost, nameOf);
    const calls = this.calls.serveMember(peer);
    const shipment = this.files.open(peer);
    this.#guests.set(life, guest);
    return {
      onFrame: (frame) => {
        if (!calls.onFrame(frame) && !shipment.onFrame(frame)) guest.onFrame(frame);
      },
      onClose: () => {
        if (this.#guests.get(life) === guest) this.#guests.delete(life);
        calls.close();
        shipment.close();
        guest.onClose(this.#leading !== leading);
      },
    };
  }

  /** The leader took this member's connection. */
  #taken(_leader: Leader, peer: Peer): Taken {
    const upstream = new Upstream(peer);
    this.#upstream = upstream;
    this.calls.target(peer);
    this.files.report(peer);
    this.relay.linked(upstream);
    return {
      onFrame: (frame) => {
        if (!this.calls.onFrame(frame) && !this.files.onFrame(frame)) upstream.onFrame(frame);
      },
      onAlive: () => this.relay.noteContact(),
      onClose: () => {
        if (this.#upstream !== upstream) return;
        this.#upstream = undefined;
        this.calls.target(undefined);
        this.relay.unlinked();
        upstream.onClose();
      },
    };
  }
}
