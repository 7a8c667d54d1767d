import type { DecisionEntry } from '../../model/decision.ts';

/** Whoever decides how many replicas there are, while a scenario runs. */
export interface Conductor {
  /** Resolves when it has begun; time has to pass meanwhile. */
  start(): Promise<void>;
  /** @throws Error where it failed, as what it did then says nothing */
  decisions(service: string): Promise<DecisionEntry[]>;
  /** From which time to first byte on the service counts as slow now, ms. */
  aboveMs(service: string): number;
  end(): void;
}
