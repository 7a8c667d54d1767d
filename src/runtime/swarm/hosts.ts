import type { Clock } from '../../util/clock.ts';
import { SingleFlight } from '../../util/single-flight.ts';
import type { Node, SwarmApi } from './api.ts';

/** A host of the swarm. */
export interface Host {
  id: string;
  name: string;
  /** Where it is reached. */
  address: string;
  isDown: boolean;
  isDrained: boolean;
}

/** What is known of a host is not older than this, ms. */
const FRESH_MS = 500;

/** The hosts of the swarm, as they were a moment ago. */
export class Hosts {
  readonly #api: SwarmApi;
  readonly #clock: Clock;
  readonly #asking = new SingleFlight<'all', ReadonlyMap<string, Host>>();
  #known: ReadonlyMap<string, Host> = new Map();
  #knownAt = Number.NEGATIVE_INFINITY;

  constructor(api: SwarmApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** By id. @throws RUNTIME_UNREACHABLE, NOT_A_MANAGER, RUNTIME_FAILED */
  async all(): Promise<ReadonlyMap<string, Host>> {
    if (this.#clock.now() - this.#knownAt < FRESH_MS) return this.#known;
    // For all who ask now: it is bounded in time.
    return this.#asking.run('all', async () => {
      const nodes = await this.#api.nodes(new AbortController().signal);
      this.#known = new Map(nodes.map((node) => [node.ID, hostOf(node)]));
      this.#knownAt = this.#clock.now();
      return this.#known;
    });
  }

  /** The host of a task; undefined where it has none. */
  async of({ NodeID }: { NodeID?: string }): Promise<Host | undefined> {
    return NodeID === undefined || NodeID === '' ? undefined : (await this.all()).get(NodeID);
  }
}

function hostOf({ ID, Spec, Description, Status, ManagerStatus }: Node): Host {
  // A manager may know only as a manager where others reach it.
  const isTold = Status.Addr !== undefined && Status.Addr !== '' && Status.Addr !== '0.0.0.0';
  const address = isTold ? Status.Addr : ManagerStatus?.Addr?.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return {
    id: ID,
    name: Description.Hostname,
    address: address ?? '',
    isDown: Status.State === 'down',
    isDrained: Spec.Availability === 'drain',
  };
}
