import type { DiscoveredEndpoint } from '../model/discovery.ts';
import type { Logger } from '../model/observe.ts';
import type { Clock } from '../util/clock.ts';
import { type Belief, interrupted, judge, lookAgainIn } from './consul-belief.ts';
import type { ConsulAnswer } from './consul-client.ts';
import { oneLine } from './consul-connection.ts';
import { type BadEntry, endpointsOf, type Instance, readEntries } from './consul-entries.ts';

/** What is believed of one Consul service; answers come from whoever asks. */
export class ConsulKnowledge {
  readonly #service: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #belief: Belief = { state: 'unknown' };
  #instances: readonly Instance[] = [];
  #fingerprint = '';
  #complaints = new Set<string>();

  constructor(service: string, clock: Clock, logger: Logger) {
    this.#service = service;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Takes over an answer of `/v1/health/service/NAME`; returns whether anything is new. @throws DISCOVERY_FAILED */
  take(answer: ConsulAnswer): boolean {
    const { instances, bad } = readEntries(answer.body);
    this.#complain(bad);
    const before = this.#belief.state;
    const { knownLeader } = answer;
    this.#belief = judge(this.#belief, { empty: instances.length === 0, knownLeader }, this.#clock.now());
    const believed = this.#belief.state === 'filled' || this.#belief.state === 'empty';
    const fingerprint = JSON.stringify(instances);
    if (!believed || (fingerprint === this.#fingerprint && before !== 'unknown')) return false;
    this.#instances = instances;
    this.#fingerprint = fingerprint;
    return true;
  }

  /** Contact was lost. */
  interrupt(): void {
    this.#belief = interrupted(this.#belief);
  }

  /** Whether there was an answer that is believed. */
  get known(): boolean {
    return this.#belief.state !== 'unknown';
  }

  /** How soon to ask again even if Consul reports no change, ms; undefined when nothing is in doubt. */
  get lookAgainIn(): number | undefined {
    return lookAgainIn(this.#belief, this.#clock.now());
  }

  /** Where the service may be reached now. */
  endpoints(tag: string | undefined): DiscoveredEndpoint[] {
    return endpointsOf(this.#instances, tag);
  }

  /** Whether an instance is on the node. */
  isOn(node: string): boolean {
    return this.#instances.some((instance) => instance.node === node);
  }

  /** Warns once of each bad entry, for as long as it stays listed and bad. */
  #complain(bad: BadEntry[]): void {
    const complaints = new Set<string>();
    for (const { name, reason } of bad) {
      const complaint = oneLine(`${name} is skipped: ${reason}`);
      complaints.add(complaint);
      if (this.#complaints.has(complaint)) continue;
      this.#logger.warn({ consulService: this.#service }, `Consul service ${this.#service}: ${complaint}`);
    }
    this.#complaints = complaints;
  }
}
