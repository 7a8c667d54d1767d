import type { AppModel } from '../../src/simulate/app-model.ts';
import type { Profile } from '../../src/simulate/load.ts';
import type { ServiceOutcome } from '../../src/simulate/outcome.ts';
import type { App, Place } from '../../test/support/app.ts';
import type { RunningProxy } from '../../test/support/proxy.ts';

/** A load on real apps behind the real program, with what scaling is held to under it. It can be simulated as well. */
export interface ScalingScenario {
  name: string;
  /** What it shows, in one line. */
  shows: string;
  /** What clients ask for, and of what. */
  asked: string;
  seconds: number;
  services: readonly ScaledService[];
  /** Where the replicas run; processes unless told. */
  place?: Place;
  /** `budget` of the configuration. */
  budget?: { replicas: number };
  /** What happens to the real program meanwhile; it ends with the load at the latest. */
  meanwhile?: (stage: LiveStage) => Promise<void>;
  /** Why the simulation says nothing about it. */
  notSimulated?: string;
  checks: readonly Check[];
}

export interface ScaledService {
  name: string;
  /** Keys of the service in the configuration; routes, run and ready are filled in. */
  config: { scale: Record<string, unknown>; [key: string]: unknown };
  /** How the app behaves. Of ailments, `every` has no counterpart in a real app here. */
  app: AppModel;
  load: Profile;
  /** From the call that starts a replica until it answers, ms. */
  startMs: number;
}

/** One figure, and what it may be. */
export interface Check {
  name: string;
  least?: number;
  most: number;
  of: (services: readonly ServiceOutcome[]) => number;
}

/** The real program while its load goes on. */
export interface LiveStage {
  proxy: RunningProxy;
  apps: readonly App[];
  /** Reloads with another environment of the first service's app: a new version of it. */
  deploy(mimic: Record<string, string | number>): Promise<void>;
  /** Waits until so long after the load began, ms; false: the load ended before. */
  reached(ms: number): Promise<boolean>;
}

/** Whether a figure is what it may be. */
export function holds({ least = 0, most }: Check, figure: number): boolean {
  return figure >= least && figure <= most;
}
