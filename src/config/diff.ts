import type { ListenSettings, Settings } from '../model/settings.ts';
import { canonicalJson, runHash } from '../util/hash.ts';

/** What a reload changes. */
export interface SettingsDiff {
  services: {
    added: string[];
    removed: string[];
    /** `run`: its replicas are to be replaced. */
    changed: { name: string; run: boolean }[];
  };
  listeners: { added: ListenSettings[]; removed: ListenSettings[]; changed: ListenSettings[] };
  /** Other sections that take effect at once: trustedProxies, budget. */
  sections: ('trustedProxies' | 'budget')[];
  /** Keys that differ and take effect only after a restart: the running ones stay until then. */
  needRestart: ('accessLog' | 'admin.address' | 'admin.token' | 'workers' | 'state' | 'consul' | 'docker')[];
}

/** Compares two configurations, by content. */
export function diffSettings(old: Settings, next: Settings): SettingsDiff {
  const before = new Map(old.services.map((service) => [service.name, service]));
  const after = new Set(next.services.map(({ name }) => name));
  const changed = next.services.flatMap((service) => {
    const previous = before.get(service.name);
    if (previous === undefined || same(previous, service)) return [];
    return [{ name: service.name, run: runHash(previous.run ?? {}) !== runHash(service.run ?? {}) }];
  });
  return {
    services: {
      added: next.services.map(({ name }) => name).filter((name) => !before.has(name)),
      removed: old.services.map(({ name }) => name).filter((name) => !after.has(name)),
      changed,
    },
    listeners: diffListeners(old.listen, next.listen),
    sections: (['trustedProxies', 'budget'] as const).filter((key) => !same(old[key], next[key])),
    needRestart: [
      ...(same(old.admin.address, next.admin.address) ? [] : (['admin.address'] as const)),
      ...(old.admin.token === next.admin.token ? [] : (['admin.token'] as const)),
      ...(['accessLog', 'workers', 'state', 'consul', 'docker'] as const).filter((key) => !same(old[key], next[key])),
    ],
  };
}

function diffListeners(old: ListenSettings[], next: ListenSettings[]): SettingsDiff['listeners'] {
  const twin = (of: ListenSettings, among: ListenSettings[]) => among.find((other) => same(other.address, of.address));
  return {
    added: next.filter((listener) => twin(listener, old) === undefined),
    removed: old.filter((listener) => twin(listener, next) === undefined),
    changed: next.filter((listener) => {
      const previous = twin(listener, old);
      return previous !== undefined && !same(previous, listener);
    }),
  };
}

function same(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson([a]) === canonicalJson([b]);
}
