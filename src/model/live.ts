import type { ServiceStatus } from './status.ts';

/** What a subscriber of `/v1/live` is told once a second, whether anything changed or not. */
export interface LiveState {
  /** ISO 8601. */
  at: string;
  /** All services are in it; else those that changed since the message before. */
  isWhole: boolean;
  services: ServiceStatus[];
  /** Names of those that are gone from the configuration. */
  gone: string[];
}
