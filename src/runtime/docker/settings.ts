import { PilotlightError } from '../../model/errors.ts';
import type { ReplicaSpec } from '../../model/runtime.ts';
import type { RunSettings } from '../../model/settings.ts';

/** Where the engine is, and how its containers are reached. */
export interface DockerSettings {
  /** Path of the Engine API's unix socket, or a tcp:// address. */
  socket: string;
  reach: 'auto' | 'container' | 'host';
}

/** Replicas that are containers made of an image. */
export interface ImageRun extends RunSettings {
  runtime: 'docker';
  kind: 'docker';
  image: string;
  /** Container port that speaks HTTP. */
  port: number;
  env: Record<string, string>;
  /** Bytes; undefined: no limit. */
  memory: number | undefined;
  /** CPUs, fractions allowed; undefined: no limit. */
  cpus: number | undefined;
  command: string[] | undefined;
  entrypoint: string[] | undefined;
  user: string | undefined;
  workdir: string | undefined;
  /** Docker bind syntax, source:target[:ro]. */
  volumes: string[];
  /** Networks to join; empty: the engine's default bridge. */
  networks: string[];
  labels: Record<string, string>;
  readOnly: boolean;
  /**
   * `created`: containers are created ahead, a wake only starts one. `none`: created at the wake, removed at the stop.
   * `paused`: as `created`, and frozen in place of stopped; `auto`: for as long as that pays.
   */
  standby: 'auto' | 'paused' | 'created' | 'none';
}

/**
 * An existing container that Pilotlight starts, stops and perhaps pauses, never creates or removes. Its service has at most
 * one replica.
 */
export interface ContainerRun extends RunSettings {
  runtime: 'docker';
  kind: 'docker-container';
  container: string;
  port: number;
}

export function isExisting(run: RunSettings): run is ContainerRun {
  return run.kind === 'docker-container';
}

/** The `run` of a replica that is to be a container. @throws INTERNAL where it is for another runtime */
export function dockerRun({ service, run }: ReplicaSpec): ImageRun | ContainerRun {
  if (run.kind === 'docker' || isExisting(run)) return run as ImageRun | ContainerRun;
  throw new PilotlightError('INTERNAL', `${service} is not run by Docker`);
}
