import type { WrittenOptions } from './declarations.ts';

/** A container of an engine, running or not. */
export interface LabelledContainer {
  id: string;
  /** Without the slash. */
  name: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  labels: Readonly<Record<string, string>>;
  /** TCP ports that its image or its maker exposes, in ascending order. */
  ports: readonly number[];
  /** Names of the networks that it is in. */
  networks: readonly string[];
  /** The options of a service that starts and stops it, and where among them the port belongs. */
  binding: WrittenOptions;
  portAt: readonly string[];
}

/** The containers of an engine, whoever made them. */
export interface ContainerFeed {
  /**
   * Those with such labels, whatever their state; not those that Pilotlight made.
   * @throws RUNTIME_UNREACHABLE, RUNTIME_FORBIDDEN, RUNTIME_FAILED
   */
  list(
    isWanted: (labels: Readonly<Record<string, string>>) => boolean,
    signal: AbortSignal,
  ): Promise<LabelledContainer[]>;
  /** Calls whenever one was made, renamed or removed, or when that may have been missed, while the runtime is watched. */
  follow(onChange: () => void): void;
}
