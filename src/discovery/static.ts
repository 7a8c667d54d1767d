import type { DiscoveryQuery, DiscoverySource, EndpointSet } from '../model/discovery.ts';

/**
 * The addresses written in the configuration. Every `follow` pushes, within the call, the set of every service that
 * it names (also an empty one), and an empty set for a service that had addresses and is followed no more.
 */
export function createStaticSource(): DiscoverySource {
  return new StaticSource();
}

class StaticSource implements DiscoverySource {
  readonly kind = 'static';
  #queries: DiscoveryQuery[] = [];
  #emit: ((set: EndpointSet) => void) | undefined;

  follow(queries: DiscoveryQuery[]): void {
    const names = new Set(queries.map((query) => query.service));
    const dropped = this.#queries.filter((query) => !names.has(query.service) && query.static.length > 0);
    this.#queries = queries;
    for (const { service } of dropped) this.#emit?.({ service, source: 'static', endpoints: [] });
    this.#emitAll();
  }

  run(emit: (set: EndpointSet) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#emit = emit;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    this.#emitAll();
  }

  answered(): boolean {
    return true;
  }

  staleness(service: string): number | undefined {
    return this.#queries.some((query) => query.service === service) ? 0 : undefined;
  }

  #stop(): void {
    this.#emit = undefined;
  }

  #emitAll(): void {
    for (const query of this.#queries) {
      const endpoints = query.static.map(({ host, port }) => ({ host, port, weight: 1 }));
      this.#emit?.({ service: query.service, source: 'static', endpoints });
    }
  }
}
