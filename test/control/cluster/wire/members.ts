import { onTestFinished } from 'vitest';
import { type ClusterWire, createClusterWire } from '../../../../src/control/cluster/wire/cluster-wire.ts';
import { LinkHub, type LinkListener } from '../../../../src/control/link/hub.ts';
import type { Leader } from '../../../../src/model/cluster.ts';
import type { ControlMessage, EdgeMessage } from '../../../../src/model/link.ts';
import type { Logger } from '../../../../src/model/observe.ts';
import type { HostPort } from '../../../../src/model/settings.ts';
import { type ChannelEnd, createChannel } from '../../../../src/util/channel.ts';
import { type Clock, systemClock } from '../../../../src/util/clock.ts';
import { until } from '../../../edge/wire.ts';

export interface MemberChange {
  cluster?: string;
  secret?: string;
  build?: string;
  clock?: Clock;
}

/** A member of a cluster on a port of its own, without a control plane. */
export class Member {
  readonly wire: ClusterWire;
  readonly name: string;
  address: HostPort = { host: '127.0.0.1', port: 0 };
  /** What it said to the operator: code and line. */
  readonly said: string[] = [];
  /** What its control plane was told of edges, while it leads. */
  readonly heard: { edge: string; message: EdgeMessage }[] = [];
  readonly lost: string[] = [];
  readonly detached: string[] = [];

  constructor(name: string, change: MemberChange = {}) {
    this.name = name;
    const { clock = systemClock, ...rest } = change;
    this.wire = createClusterWire({
      clock,
      logger: this.#logger(),
      cluster: 'edge',
      secret: 'a secret that members share',
      build: '1.0.0',
      ...rest,
      member: name,
      advertise: this.address,
      random: () => 0,
    });
  }

  static async start(name: string, change: MemberChange = {}): Promise<Member> {
    const member = new Member(name, change);
    onTestFinished(() => member.wire.close());
    member.address = await member.wire.listen(member.address);
    return member;
  }

  leader(index: number): Leader {
    return { member: this.name, address: this.address, index };
  }

  /** Leads, with a hub that has no services. */
  lead(index: number, clock: Clock = systemClock): LinkHub {
    const noted = (edge: string, message: EdgeMessage) => void this.heard.push({ edge, message });
    const listener: LinkListener = {
      onDemand: noted,
      onReport: noted,
      onLate: (totals) => noted('', totals),
      onAck: noted,
      onDrained: noted,
      onSuspect: noted,
      onBadAnswer: () => undefined,
      onUnreachable: () => undefined,
      onEjected: () => undefined,
      onDetached: (edge) => void this.detached.push(edge),
      onReturned: () => undefined,
    };
    const table = { routes: [], services: [], trustedProxies: [], heldBytes: 0 };
    const hub = new LinkHub(clock, this.#logger(), listener, () => ({ table, states: [] }));
    this.wire.relay.lead(
      index,
      (edge, link, end) => hub.attach(edge, link, end),
      (edge) => void this.lost.push(edge),
    );
    return hub;
  }

  /** An edge of this member that is not there: its end of the link. */
  edge(name = 'edge-1', end?: () => void): FakeEdge {
    const [below, above] = createChannel<ControlMessage, EdgeMessage>();
    this.wire.relay.attach(name, above, end);
    return new FakeEdge(below);
  }

  async says(words: string): Promise<void> {
    await until(() => this.said.some((line) => line.includes(words)), `${this.name} to say: ${words}`);
  }

  #logger(): Logger {
    const say = (fields: object, line: string) => {
      const { code = '' } = fields as { code?: string };
      this.said.push(`${code} ${line}`);
    };
    return { debug: () => undefined, info: say, warn: say, error: say };
  }
}

export class FakeEdge {
  readonly link: ChannelEnd<ControlMessage, EdgeMessage>;
  readonly received: ControlMessage[] = [];

  constructor(link: ChannelEnd<ControlMessage, EdgeMessage>) {
    this.link = link;
    link.onMessage((message) => {
      this.received.push(message);
      if (message.type === 'led') link.post({ type: 'led', term: message.term });
    });
  }

  get types(): string[] {
    return this.received.map(({ type }) => type).filter((type) => type !== 'contact');
  }

  async gets(...types: string[]): Promise<void> {
    await until(() => types.every((type) => this.types.includes(type)), `${types} at the edge, not ${this.types}`);
  }
}
