import type { CatalogFeed } from '../../model/catalog.ts';
import { PilotlightError } from '../../model/errors.ts';
import type { AskAccess } from './access.ts';
import type { ConsulCatalog } from './catalog.ts';
import type { AskConsul } from './client.ts';
import { readListed } from './entries.ts';
import { GRACE_MS } from './loop.ts';
import { type ConsulScope, questionOf } from './target.ts';

/**
 * What a catalogue lists, for others than routed services. That there is no instance is believed only where the token may
 * read the service: what it may not read is left out of lists.
 * @param scope the part of Consul whose catalogue it is
 * @param ask for what is answered at once, in its turn
 */
export function createCatalogFeed(
  scope: ConsulScope,
  catalog: ConsulCatalog,
  ask: AskConsul,
  askAccess: AskAccess,
): CatalogFeed {
  return {
    follow: (take, signal) => catalog.follow(take, signal),
    instances: async (service, signal) => {
      // Not stale: another server may lag behind the one that told of the change.
      const query = { ...questionOf({ service, ...scope }), index: 0n, waitMs: 0, stale: false, timeoutMs: GRACE_MS };
      const { body, filtered } = await ask(query, signal);
      const listed = readListed(body);
      if (listed.length > 0) return listed;
      const access = await askAccess(service, [''], signal);
      const isDenied = access !== 'open' && (filtered || access?.service === true);
      if (isDenied) throw new PilotlightError('DISCOVERY_DENIED', `the token may not read service ${service}`);
      return listed;
    },
  };
}
