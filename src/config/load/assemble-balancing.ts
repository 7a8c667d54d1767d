import type { BalancingSettings, HealthSettings } from '../../model/balancing.ts';
import type { ServiceConfig } from '../schema/schema.ts';

/** How endpoints of a service are chosen, doubted and checked. */
export function balancingSettings(service: ServiceConfig): Required<BalancingSettings> {
  const { balance, hashOn, sticky, slowStart, outlier, health } = service;
  return {
    balance,
    hashOn,
    sticky: sticky && { cookie: sticky.cookie, ttlMs: sticky.ttl },
    slowStartMs: slowStart,
    outlier: {
      consecutive: outlier.consecutive,
      intervalMs: outlier.interval,
      ejectMs: outlier.eject,
      maxEjectMs: outlier.maxEject,
      maxShare: outlier.maxShare,
    },
    health: health && healthSettings(health),
  };
}

function healthSettings(health: NonNullable<ServiceConfig['health']>): HealthSettings {
  const { path, host, status, tcp, interval, timeout, rise, fall } = health;
  const check: HealthSettings['check'] = tcp
    ? { kind: 'connect' }
    : { kind: 'http', path, host, statusMin: status.min, statusMax: status.max };
  return { check, intervalMs: interval, timeoutMs: timeout, rise, fall };
}
