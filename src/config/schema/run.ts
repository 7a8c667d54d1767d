import type { z } from 'zod';
import type { RunSettings } from '../../model/settings.ts';
import { optional, options } from '../option/option.ts';
import { dockerRun } from './run-docker.ts';
import { processRun } from './run-process.ts';
import { swarmRun } from './run-swarm.ts';

/** `services.<name>.run`. */
export const runSchema = optional(
  options({
    docker: optional(dockerRun, 'Replicas are Docker containers.'),
    process: optional(processRun, 'Replicas are processes of this machine.'),
    swarm: optional(swarmRun, 'Replicas are placed on hosts by Docker Swarm; see [Swarm](swarm.md).'),
  }),
  'How to start a replica: `docker`, `process` or `swarm`. Without it Pilotlight only routes to the service.',
);

/** What `run` says: of one of the runtimes, as the check makes sure. */
export type Run = NonNullable<z.output<typeof runSchema>>;

/** Whether it is a container that is there already. */
export function isExisting(run: Run | undefined): boolean {
  return run?.docker?.kind === 'docker-container';
}

/** The name of the container that is there already, where a way is one. */
export function existingContainer(run: RunSettings | undefined): string | undefined {
  return run?.kind === 'docker-container' && 'container' in run ? String(run.container) : undefined;
}

/** The way that replicas are started: that of the one runtime. */
export function startedBy(run: Run): RunSettings | undefined {
  return Object.values(run).find((way) => way !== undefined);
}
