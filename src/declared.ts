/** Joins what declares services with the configuration: which sources there are is known here and in `main.ts` alone. */
import type { DeclaredServices } from './config/declare/declared-services.ts';
import { DockerLabels } from './discovery/docker-labels/source.ts';
import type { ContainerFeed } from './model/containers.ts';
import type { DeclarationSource, DeclarationStatus } from './model/declarations.ts';
import type { EventType } from './model/events.ts';
import type { Logger } from './model/observe.ts';
import type { Settings } from './model/settings.ts';
import type { Clock } from './util/clock.ts';

interface DeclaredOptions {
  settings: Settings;
  /** Of the engine of Docker; undefined: it is not in use. */
  containers: ContainerFeed | undefined;
  clock: Clock;
  logger: Logger;
  onChange: () => void;
  tell: (type: EventType, message: string, data: Record<string, string>) => void;
}

/** The part of declared services that a proxy needs. */
export interface Declared {
  readonly standing: readonly DeclarationStatus[];
  begin(limitMs: number): Promise<void>;
  merge(file?: Settings): Settings;
  close(): void;
}

/** Where nothing is declared: the file is all that there is. */
function nothingDeclared(settings: Settings): Declared {
  let file = settings;
  return {
    standing: [],
    begin: () => Promise.resolve(),
    merge: (other = file) => {
      file = other;
      return file;
    },
    close: () => undefined,
  };
}

/** Services that declare themselves, as far as the settings turn that on; what checks them is loaded only then. */
export async function openDeclared(options: DeclaredOptions): Promise<Declared> {
  const { settings, containers, clock, logger } = options;
  const { declare } = settings;
  if (declare === undefined) return nothingDeclared(settings);
  const { DeclaredServices: Services } = await import('./config/declare/declared-services.ts');
  const sources: DeclarationSource[] = [];
  const { docker } = declare.sources;
  if (docker !== undefined && containers !== undefined) {
    sources.push(new DockerLabels({ containers, prefix: docker.prefix, isForeign: () => false, clock, logger }));
  }
  const { onChange, tell } = options;
  const declared: DeclaredServices = new Services({ file: settings, sources, clock, onChange, tell });
  return declared;
}
