import type { ListedInstance } from '../../model/catalog.ts';
import type { Declaration } from '../../model/declarations.ts';
import { printable } from '../../util/printable.ts';

/** Which tags and metadata are read. */
export interface Reading {
  /** What those that are meant for Pilotlight begin with, before a dot. */
  prefix: string;
  /** Whether a tag of other programs may declare a service too. */
  isForeign: (tag: string) => boolean;
}

/** What an instance says of its service. */
export type Labels = Pick<Declaration, 'labels' | 'meta' | 'faults'>;

/** Most faults that are told of one instance, and most characters of each. */
const MOST_FAULTS = 20;
const FAULT_LENGTH = 200;

/** Before its first `=` stands the name of a label, unless there is more in it than names have: `urlprefix-/api strip=/api`. */
const NAMED = /^([A-Za-z0-9._[\]-]+)=(.*)$/s;

/** Whether a tag is one that is read. */
export function saysAnything(tag: string, { prefix, isForeign }: Reading): boolean {
  return tag === prefix || tag.startsWith(`${prefix}.`) || isForeign(tag);
}

/**
 * What an instance says by tags (`pilotlight.route=shop.example.com`) and by metadata, whose keys take no dots:
 * `pilotlight_route`. Metadata goes over tags.
 * @returns undefined where it says nothing of it
 */
export function labelsOf({ tags, meta }: Pick<ListedInstance, 'tags' | 'meta'>, reading: Reading): Labels | undefined {
  const labels: Record<string, string> = Object.create(null);
  const keys: Record<string, string> = Object.create(null);
  const faults: string[] = [];
  for (const tag of tags) {
    if (!saysAnything(tag, reading)) continue;
    const [label, value] = NAMED.exec(tag)?.slice(1) ?? [tag, ''];
    if (label === undefined || value === undefined) continue;
    if (label === reading.prefix) labels[`${label}.enable`] ??= 'true';
    else if (labels[label] === undefined) labels[label] = value;
    else if (labels[label] !== value)
      faults.push(`tag ${label}: expected it once, found ${labels[label]} and ${value}`);
  }
  const own = reading.prefix.replaceAll(/[.-]/g, '_');
  for (const [key, value] of Object.entries(meta)) {
    if (key.startsWith(`${reading.prefix}-`)) {
      faults.push(`meta ${key}: expected ${key.replaceAll('-', '_')}, with _ in the place of dots`);
    }
    if (!key.startsWith(`${own}_`)) continue;
    const label = `${reading.prefix}.${key.slice(own.length + 1).replaceAll('_', '.')}`;
    labels[label] = value;
    keys[label] = key;
  }
  if (Object.keys(labels).length === 0 && faults.length === 0) return undefined;
  const told = faults.slice(0, MOST_FAULTS).map((fault) => printable(fault, FAULT_LENGTH));
  return { labels, ...(Object.keys(keys).length > 0 && { meta: keys }), ...(told.length > 0 && { faults: told }) };
}
