import type { CatalogFeed } from '../../model/catalog.ts';
import type { ConsulCatalog } from './catalog.ts';
import type { AskConsul } from './client.ts';
import { readListed } from './entries.ts';
import { GRACE_MS } from './loop.ts';
import { questionOf } from './target.ts';

/** What a catalogue lists, for others than routed services. @param ask for what is answered at once, in its turn */
export function createCatalogFeed(catalog: ConsulCatalog, ask: AskConsul): CatalogFeed {
  return {
    follow: (take, signal) => catalog.follow(take, signal),
    instances: async (service, signal) => {
      // Not stale: another server may lag behind the one that told of the change.
      const query = { ...questionOf({ service }), index: 0n, waitMs: 0, stale: false, timeoutMs: GRACE_MS };
      return readListed((await ask(query, signal)).body);
    },
  };
}
