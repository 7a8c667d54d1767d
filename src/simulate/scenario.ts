import type { BudgetSettings, ServiceSettings } from '../model/settings.ts';
import type { AppModel, StartModel } from './app-model.ts';
import type { Load } from './load.ts';

/** What is simulated: services with their apps and clients, for so long. Plain descriptions that may be used again. */
export interface Scenario {
  services: readonly SimulatedService[];
  /** How long the load goes on, s. */
  seconds: number;
  /** Whatever is left to chance follows from it: the same seed gives the same outcome. */
  seed: number;
  /** What all services share; absent: enough for all of them. */
  budget?: Partial<BudgetSettings>;
}

export interface SimulatedService {
  settings: ServiceSettings;
  app: AppModel;
  load: Load;
  start: StartModel;
  /** Replicas that run when the load begins. Default: `scale.min`. */
  running?: number;
  /** A client who has no first byte after so long gives up, ms. Absent: never. */
  patienceMs?: number;
}
