import type { ConsulCatalog } from './catalog.ts';
import type { AskConsul } from './client.ts';
import { ConsulFleet } from './fleet.ts';
import type { ConsulFollower, FollowerOptions } from './follower.ts';
import { type ConsulScope, type ConsulTarget, scopeKeyOf } from './target.ts';

interface FleetsOptions extends FollowerOptions {
  /** The catalogue of a part of Consul, always the same one. */
  catalogOf: (scope: ConsulScope) => ConsulCatalog;
  askOnce: AskConsul;
}

/** A fleet for each part of Consul. */
export class ConsulFleets implements ConsulFollower {
  readonly #options: FleetsOptions;
  readonly #fleets = new Map<string, ConsulFleet>();
  /** By the keys of what is followed. */
  #fleetOf = new Map<string, ConsulFleet>();

  constructor(options: FleetsOptions) {
    this.#options = options;
  }

  follow(targets: ReadonlyMap<string, ConsulTarget>): void {
    const scopes = Map.groupBy(targets, ([, target]) => scopeKeyOf(target));
    for (const [scope, fleet] of this.#fleets) {
      if (scopes.has(scope)) continue;
      fleet.stop();
      this.#fleets.delete(scope);
    }
    this.#fleetOf = new Map();
    for (const [scope, entries] of scopes) {
      const fleet = this.#fleets.get(scope) ?? this.#begin(scope, entries[0]?.[1] ?? {});
      fleet.follow(new Map(entries));
      for (const [key] of entries) this.#fleetOf.set(key, fleet);
    }
  }

  staleness(key: string): number | undefined {
    return this.#fleetOf.get(key)?.staleness(key);
  }

  stop(): void {
    this.follow(new Map());
  }

  #begin(key: string, scope: ConsulScope): ConsulFleet {
    const fleet = new ConsulFleet({ ...this.#options, catalog: this.#options.catalogOf(scope) });
    this.#fleets.set(key, fleet);
    return fleet;
  }
}
