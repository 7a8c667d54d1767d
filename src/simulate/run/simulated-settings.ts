import type { Settings } from '../../model/settings.ts';
import type { Scenario } from '../scenario.ts';

const NOWHERE = { host: '127.0.0.1', port: 1 };

const NO_PRICES = {
  currency: 'EUR',
  replicaHour: undefined,
  memoryHour: undefined,
  cpuHour: undefined,
  waitedHour: undefined,
};

/** Settings of a proxy that has the services of a scenario, and nothing that they do not need. */
export function simulatedSettings({ services, budget }: Scenario): Settings {
  return {
    listen: [],
    trustedProxies: [],
    accessLog: undefined,
    admin: { address: NOWHERE, token: undefined },
    workers: 1,
    state: '',
    parts: {},
    budget: { replicas: 10_000, concurrentStarts: 100, startsPerMinute: 10_000, heldBytes: 2 ** 30, ...budget },
    prices: NO_PRICES,
    services: services.map(({ settings }) => settings),
  };
}
