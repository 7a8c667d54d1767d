import type { ListedInstance } from '../../model/catalog.ts';
import type { Declaration } from '../../model/declarations.ts';
import { canonicalJson } from '../../util/hash.ts';
import { type Labels, labelsOf, type Reading } from './labels.ts';

/** When a service was seen first, and what decides between those that were seen at once. */
export type Age = Pick<Declaration, 'since' | 'order'>;

/** Most tags of all instances of one service that are looked at. */
const MOST_TAGS = 200;
const DIFFERING = 'its instances do not all say the same: what the one that was changed last says holds';

/**
 * What a service declares. Its endpoints are found in the same place, by the source's own name.
 * Where its instances do not say the same, the one that was changed last is believed as a whole:
 * while a service is rolled out, that is what its owner says now.
 * @returns undefined where it declares nothing
 */
export function declarationOf(
  source: string,
  service: string,
  instances: readonly ListedInstance[],
  reading: Reading,
  age: Age,
): Declaration | undefined {
  const saying = instances.flatMap((instance) => {
    const labels = labelsOf(instance, reading);
    return labels === undefined ? [] : { instance, labels };
  });
  const [newest, ...others] = saying.toSorted((a, b) => b.instance.changedAt - a.instance.changedAt);
  if (newest === undefined) return undefined;
  const isOneVoice = others.every(({ labels }) => isSame(labels, newest.labels));
  return {
    source,
    key: service,
    title: `Consul service ${service}`,
    service,
    ...age,
    prefix: reading.prefix,
    word: 'tag',
    ...newest.labels,
    ...(!isOneVoice && { notes: [DIFFERING] }),
    binding: { endpoints: { [source]: { service } } },
    portAt: undefined,
    sharesAt: ['endpoints', source, 'shares'],
    tags: [...new Set(instances.flatMap(({ tags }) => tags.filter((tag) => reading.isForeign(tag))))]
      .sort()
      .slice(0, MOST_TAGS),
    ports: [],
    networks: undefined,
    after: [],
  };
}

function isSame(one: Labels, other: Labels): boolean {
  return canonicalJson(one.labels) === canonicalJson(other.labels);
}
