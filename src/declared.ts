/** Joins what declares services with the configuration: which sources there are is known here and in `main.ts` alone. */
import { ConsulTags } from './discovery/consul-tags/source.ts';
import { DockerLabels } from './discovery/docker-labels/source.ts';
import type { CatalogFeed } from './model/catalog.ts';
import type { ContainerFeed } from './model/containers.ts';
import type { Declaration, DeclarationSource, DeclarationStatus } from './model/declarations.ts';
import type { EventType } from './model/events.ts';
import type { Logger } from './model/observe.ts';
import type { Settings } from './model/settings.ts';
import type { Clock } from './util/clock.ts';

interface DeclaredOptions {
  settings: Settings;
  /** Of the engine of Docker; undefined: it is not in use. */
  containers: ContainerFeed | undefined;
  /** What Consul lists; undefined: it is not in use. */
  catalog: CatalogFeed | undefined;
  /** What the process before this one knew, which holds until the sources answer. */
  known: readonly Declaration[] | undefined;
  clock: Clock;
  logger: Logger;
}

type Tell = (type: EventType, message: string, data: Record<string, string>) => void;

/** Services that declare themselves, as a proxy needs them. */
export interface Declared {
  readonly standing: readonly DeclarationStatus[];
  /** What each source said last. */
  readonly known: readonly Declaration[];
  /** Asks the sources; resolves when each has said something, or after so many ms, and says whether each has. */
  begin(limitMs: number): Promise<boolean>;
  /** What the file, or another one from now on, and all declarations come to now. */
  merge(file?: Settings): Settings;
  /** Calls whenever `merge` would come to something else, and once at once; tells what was said before, and what is from now on. */
  follow(onChange: () => void, tell: Tell): void;
  /** What was merged last could not be put in force: `follow` calls again in a while. */
  again(): void;
  close(): void;
}

/** Where nothing is declared: the file is all that there is. */
function nothingDeclared(settings: Settings): Declared {
  let file = settings;
  return {
    standing: [],
    known: [],
    begin: () => Promise.resolve(true),
    merge: (other = file) => {
      file = other;
      return file;
    },
    follow: () => undefined,
    again: () => undefined,
    close: () => undefined,
  };
}

/** Services that declare themselves, as far as the settings turn that on; what checks them is loaded only then. */
export async function openDeclared({
  settings,
  containers,
  catalog,
  known,
  clock,
  logger,
}: DeclaredOptions): Promise<Declared> {
  const { declare } = settings;
  if (declare === undefined) return nothingDeclared(settings);
  const { DeclaredServices } = await import('./config/declare/declared-services.ts');
  const { dialects } = await import('./config/declare/dialects/dialects.ts');
  const isForeign = (label: string) => dialects.some((dialect) => dialect.owns(label));
  const sources: DeclarationSource[] = [];
  const { docker, consul } = declare.sources;
  if (docker !== undefined && containers !== undefined) {
    sources.push(new DockerLabels({ name: 'docker', containers, prefix: docker.prefix, isForeign, clock, logger }));
  }
  if (consul !== undefined && catalog !== undefined) {
    sources.push(new ConsulTags({ name: 'consul', catalog, prefix: consul.prefix, isForeign, clock, logger }));
  }
  let onChange = (): void => undefined;
  const unsaid: Parameters<Tell>[] = [];
  let tell: Tell = (...said) => unsaid.push(said);
  const declared = new DeclaredServices({
    file: settings,
    sources,
    known,
    clock,
    onChange: () => onChange(),
    tell: (...said) => tell(...said),
  });
  return {
    get standing() {
      return declared.standing;
    },
    get known() {
      return declared.known;
    },
    begin: (limitMs) => declared.begin(limitMs),
    merge: (file) => declared.merge(file),
    follow: (listener, sink) => {
      onChange = listener;
      tell = sink;
      for (const said of unsaid.splice(0)) tell(...said);
      onChange();
    },
    again: () => declared.again(),
    close: () => declared.close(),
  };
}
