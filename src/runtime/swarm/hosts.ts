import type { Clock } from '../../util/clock.ts';
import { SingleFlight } from '../../util/single-flight.ts';
import type { SwarmApi, Task } from './api.ts';
import { type Host, hostOf } from './host.ts';
import { phaseOf } from './task.ts';

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
    return this.#asking.run('all', () => this.now());
  }

  /** As they are now: what Swarm does to tasks follows on what becomes of hosts, and is not to be known without it. */
  async now(): Promise<ReadonlyMap<string, Host>> {
    const nodes = await this.#api.nodes(new AbortController().signal);
    this.#known = new Map(nodes.map((node) => [node.ID, hostOf(node)]));
    this.#knownAt = this.#clock.now();
    return this.#known;
  }

  /** The host of a task; undefined where it has none. */
  async of(task: Task): Promise<Host | undefined> {
    const { NodeID = '' } = task;
    if (NodeID === '') return undefined;
    const isSettled = task.DesiredState === 'running' && phaseOf(task) === 'running';
    return (isSettled ? await this.all() : await this.now()).get(NodeID);
  }
}
