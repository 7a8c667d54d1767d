import { isMapping, type Mapping } from '../read/mapping.ts';

/**
 * A service as written, on top of the defaults as written: mappings are merged, all else is replaced. `ready` is merged
 * only where both ask for the same check, so that no path reaches a health check that has none.
 */
export function mergeDefaults(defaults: Mapping, service: Mapping): Mapping {
  const own = { ...service, ...pick('ready', readySection(service['ready'])) };
  const base = { ...defaults, ...pick('ready', readySection(defaults['ready'])) };
  // What is not merged stays as it is written, so that messages name what is in the file.
  if (isOn(defaults['compress']) && isOn(service['compress'])) {
    base['compress'] = compressSection(defaults['compress']);
    own['compress'] = compressSection(service['compress']);
  }
  if (isMapping(base['ready']) && isMapping(own['ready']) && check(base['ready']) !== check(own['ready'])) {
    base['ready'] = pick('timeout', base['ready']['timeout']);
  }
  return merge(base, own);
}

function merge(base: Mapping, over: Mapping): Mapping {
  const merged: Mapping = Object.assign(Object.create(null), base);
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMapping(below) && isMapping(value) ? merge(below, value) : value;
  }
  return merged;
}

function isOn(compress: unknown): boolean {
  return compress !== undefined && compress !== 'false';
}

/** `compress: true` and `compress: [gzip]` in their long form. */
function compressSection(compress: unknown): unknown {
  if (compress === 'true') return {};
  return Array.isArray(compress) ? { encodings: compress } : compress;
}

/** `ready: docker-health` in its long form. */
function readySection(ready: unknown): unknown {
  return ready === 'docker-health' ? { check: 'docker-health' } : ready;
}

function check(ready: Mapping): unknown {
  return ready['check'] ?? 'http';
}

function pick(key: string, value: unknown): Mapping {
  return value === undefined ? {} : { [key]: value };
}
