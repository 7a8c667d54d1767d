import type { CertificateFacts } from '../model/certificates.ts';
import type { Metrics } from '../model/observe.ts';
import type { Clock } from '../util/clock.ts';

const DAY_MS = 86_400_000;

/** Shows how many days are left of each certificate in use, and forgets those that are not in use any more. */
export function countDaysLeft(certificates: readonly CertificateFacts[], metrics: Metrics, clock: Clock): void {
  metrics.forget('', 'pilotlight_certificate_days_left');
  for (const { file, name, notAfter } of certificates) {
    const days = (notAfter - clock.wall()) / DAY_MS;
    metrics.gauge('pilotlight_certificate_days_left', { file, name }, Math.round(days * 100) / 100);
  }
}
