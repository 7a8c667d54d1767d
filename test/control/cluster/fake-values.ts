import type { SharedValues } from '../../../src/model/cluster.ts';
import { PilotlightError } from '../../../src/model/errors.ts';

/** What a cluster keeps in Consul beside its lock; only who leads under the present index changes it. */
export class FakeValues implements SharedValues {
  readonly place = 'Consul at pilotlight/edge.secrets/';
  readonly kept = new Map<string, string>();
  /** Of the lock; undefined: whoever writes leads. */
  index: number | undefined;
  isAway = false;

  async read(): Promise<ReadonlyMap<string, string>> {
    this.#assertThere();
    return new Map(this.kept);
  }

  async write(name: string, value: string | undefined, index: number): Promise<boolean> {
    this.#assertThere();
    if (this.index !== undefined && index !== this.index) return false;
    if (value === undefined) this.kept.delete(name);
    else this.kept.set(name, value);
    return true;
  }

  #assertThere(): void {
    if (this.isAway) throw new PilotlightError('DISCOVERY_UNREACHABLE', 'Consul does not answer');
  }
}
