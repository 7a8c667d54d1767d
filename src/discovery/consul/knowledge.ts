import type { Denial } from '../../model/discovery.ts';
import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import type { AskAccess } from './access.ts';
import { type Belief, interrupted, judge, lookAgainIn } from './belief.ts';
import type { ConsulAnswer } from './client.ts';
import { oneLine } from './connection.ts';
import { type BadEntry, endpointsOf, type Instance, inOrder, readEntries } from './entries.ts';
import type { ConsulChoice } from './settings.ts';
import { allSeen, ConsulSight, type Unseen } from './sight.ts';
import { type ConsulTarget, titleOf } from './target.ts';

/** What is believed of one Consul service in one part of Consul; answers come from whoever asks. */
export class ConsulKnowledge {
  readonly #target: ConsulTarget;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sight: ConsulSight;
  #belief: Belief = { state: 'unknown' };
  #instances: readonly Instance[] = [];
  #unseen: Unseen = allSeen;
  #denial: Denial | undefined;
  #fingerprint = '';
  #complaints = new Set<string>();

  constructor(target: ConsulTarget, clock: Clock, logger: Logger, askAccess: AskAccess = async () => undefined) {
    this.#target = target;
    this.#clock = clock;
    this.#logger = logger;
    this.#sight = new ConsulSight(target, clock, askAccess);
  }

  /**
   * Takes over an answer of `/v1/health/service/NAME`; gives whether anything is new.
   * @throws DISCOVERY_UNREACHABLE, DISCOVERY_FAILED, CANCELLED
   */
  async take({ body, filtered, knownLeader }: ConsulAnswer, signal: AbortSignal): Promise<boolean> {
    const { instances: listed, bad } = readEntries(body, this.#target);
    this.#complain(bad);
    const known = this.known ? this.#instances : undefined;
    this.#unseen = await this.#sight.unseen({ instances: listed, filtered }, known, signal);
    const { denial: message } = this.#unseen;
    const since = this.#denial?.since ?? this.#clock.now();
    this.#denial = message === undefined ? undefined : { message, since };
    if (this.#unseen.isBlind) return false;
    const instances = inOrder([...listed, ...this.#unseen.kept]);
    const before = this.#belief.state;
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
    this.#sight.interrupt();
  }

  /** Whether there was an answer that is believed. */
  get known(): boolean {
    return this.#belief.state !== 'unknown';
  }

  /** How soon to ask again even if Consul reports no change, ms; undefined when nothing is in doubt. */
  get lookAgainIn(): number | undefined {
    return this.#unseen.lookAgainIn ?? lookAgainIn(this.#belief, this.#clock.now());
  }

  /** What the token may not read, as far as that is known. */
  get denial(): Denial | undefined {
    return this.#denial;
  }

  /** Where the service may be reached now, and where it may not. */
  choose(choice: ConsulChoice): ReturnType<typeof endpointsOf> {
    return endpointsOf(this.#instances, choice);
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
      const { service } = this.#target;
      this.#logger.warn({ consulService: service }, `Consul ${titleOf(this.#target)}: ${complaint}`);
    }
    this.#complaints = complaints;
  }
}
