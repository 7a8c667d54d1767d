import type { DiscoverySource } from '../../model/discovery.ts';
import type { SourceStatus } from '../../model/sources.ts';

/** Most services that are named as not seen. */
const MOST_DENIED = 20;
/** Out of touch for less is no trouble, ms. */
export const BLIP_MS = 1000;

/** How it stands with one source. @param services names of those that it is asked for */
export function sourceStatus(source: DiscoverySource, services: readonly string[]): SourceStatus {
  const ages = services.map((service) => source.staleness(service));
  const known = ages.filter((age) => age !== undefined);
  const staleForMs = known.length === 0 ? null : Math.max(...known);
  const trouble = source.trouble?.();
  const isStale = (staleForMs ?? 0) >= BLIP_MS;
  const { agents = [], index = null } = source.contact?.() ?? {};
  return {
    name: source.name,
    title: source.title,
    state: isStale || trouble !== undefined ? 'out-of-touch' : known.length < ages.length ? 'waiting' : 'in-touch',
    services: services.length,
    staleForMs,
    trouble: trouble === undefined ? null : { code: trouble.code, message: trouble.message },
    denied: services
      .flatMap((service) => {
        const denial = source.denial?.(service);
        return denial === undefined ? [] : [{ service, message: denial.message }];
      })
      .slice(0, MOST_DENIED),
    agents,
    index,
  };
}
