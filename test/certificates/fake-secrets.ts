import { PilotlightError } from '../../src/model/errors.ts';
import type { SecretsListener, SharedProof, SharedSecrets } from '../../src/model/shared-secrets.ts';

/** What members of a cluster have in common; one of them may change it. */
export class FakeCluster {
  readonly values = new Map<string, string>();
  readonly members: FakeSecrets[] = [];
  leader: FakeSecrets | undefined;

  member(): FakeSecrets {
    const member = new FakeSecrets(this, `member-${this.members.length + 1}`);
    this.members.push(member);
    return member;
  }

  lead(member: FakeSecrets | undefined): void {
    const before = this.leader;
    this.leader = member;
    before?.tellLead();
    member?.tellLead();
  }
}

export class FakeSecrets implements SharedSecrets {
  readonly name: string;
  /** Whether its right to lead is beyond doubt. */
  hasRight = true;
  readonly #cluster: FakeCluster;
  readonly #listeners = new Set<SecretsListener>();

  constructor(cluster: FakeCluster, name: string) {
    this.#cluster = cluster;
    this.name = name;
  }

  get leader(): string | undefined {
    return this.#cluster.leader?.name;
  }

  get leads(): boolean {
    return this.#cluster.leader === this;
  }

  get mayAct(): boolean {
    return this.leads && this.hasRight;
  }

  get(name: string): string | undefined {
    return this.#cluster.values.get(name);
  }

  get names(): string[] {
    return [...this.#cluster.values.keys()];
  }

  async set(name: string, text: string | undefined): Promise<void> {
    if (!this.mayAct) throw new PilotlightError('CLUSTER_RIGHT_LOST', 'not now');
    if (text === undefined) this.#cluster.values.delete(name);
    else this.#cluster.values.set(name, text);
    for (const other of this.#others) for (const { onValues } of other.#listeners) onValues?.([name]);
  }

  async show(proofs: readonly SharedProof[]): Promise<void> {
    for (const other of this.#others) for (const { onProofs } of other.#listeners) await onProofs?.(proofs);
  }

  follow(listener: SecretsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tellLead(): void {
    for (const { onLead } of this.#listeners) onLead?.();
  }

  get #others(): FakeSecrets[] {
    return this.#cluster.members.filter((member) => member !== this);
  }
}
