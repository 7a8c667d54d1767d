import { PilotlightError } from '../../model/errors.ts';
import type { ReplicaSpec } from '../../model/runtime.ts';
import type { RunSettings } from '../../model/settings.ts';

/** Replicas that are processes of this machine. */
export interface ProcessRun extends RunSettings {
  runtime: 'process';
  kind: 'process';
  /** Program and arguments; `{port}` is replaced by the replica's port. */
  command: string[];
  /** Absolute working directory. */
  cwd: string;
  /** Added to a minimal environment; `{port}` is replaced. */
  env: Record<string, string>;
  standby?: 'auto' | 'paused' | 'none' | undefined;
  /** Whose what listens on the port has to be; default: its own. */
  listener?: 'own' | 'any' | undefined;
}

/** The `run` of a replica that is to be a process. @throws INTERNAL where it is for another runtime */
export function processRun({ service, run }: ReplicaSpec): ProcessRun {
  if (run.kind === 'process') return run as ProcessRun;
  throw new PilotlightError('INTERNAL', `${service} is not run as a process`);
}
