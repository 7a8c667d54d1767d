import type { ContainerFeed, LabelledContainer } from '../../model/containers.ts';
import type { Declaration, DeclarationSource } from '../../model/declarations.ts';
import { toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import { backoffDelay } from '../../util/backoff.ts';
import { type Clock, sleep } from '../../util/clock.ts';

interface DockerLabelsOptions {
  /** As below `declare`. */
  name: string;
  containers: ContainerFeed;
  /** What labels begin with, without the dot. */
  prefix: string;
  /** Whether labels of others may declare a service too. */
  isForeign: (label: string) => boolean;
  clock: Clock;
  logger: Logger;
  random?: () => number;
}

const COMPOSE = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  dependsOn: 'com.docker.compose.depends_on',
} as const;
const BACKOFF = { base: 500, cap: 10_000, jitter: 0.5 };

/** Services that containers declare by their labels, whether they run or not. */
export class DockerLabels implements DeclarationSource {
  readonly name: string;
  readonly #options: DockerLabelsOptions;

  constructor(options: DockerLabelsOptions) {
    this.name = options.name;
    this.#options = options;
  }

  run(emit: (declarations: readonly Declaration[]) => void, signal: AbortSignal): void {
    let wake: () => void = () => undefined;
    let isStale = true;
    this.#options.containers.follow(() => {
      isStale = true;
      wake();
    });
    // One for all waits: one for each of them would stay until the end.
    signal.addEventListener('abort', () => wake(), { once: true });
    const loop = async (): Promise<void> => {
      const { clock, logger, random = Math.random } = this.#options;
      for (let failures = 0; !signal.aborted; ) {
        if (!isStale)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        if (signal.aborted) return;
        isStale = false;
        try {
          emit(await this.#read(signal));
          failures = 0;
        } catch (cause) {
          if (signal.aborted) return;
          isStale = true;
          failures++;
          if (failures === 1) logger.warn({ err: toPilotlightError(cause) }, 'the labels of containers cannot be read');
          await sleep(clock, backoffDelay(failures, BACKOFF, random), signal).catch(() => undefined);
        }
      }
    };
    void loop();
  }

  async #read(signal: AbortSignal): Promise<Declaration[]> {
    const { containers, prefix, isForeign } = this.#options;
    const isWanted = (labels: Readonly<Record<string, string>>) => {
      return Object.keys(labels).some((label) => label.startsWith(`${prefix}.`) || isForeign(label));
    };
    const found = await containers.list(isWanted, signal);
    const names = new Map(found.map((container) => [composeKey(container.labels), nameOf(container, prefix)]));
    return found.map((container) => declarationOf(this.name, container, prefix, names));
  }
}

/** @param names of services, by their project and service of Compose */
function declarationOf(
  source: string,
  container: LabelledContainer,
  prefix: string,
  names: ReadonlyMap<string | undefined, string>,
): Declaration {
  const { name, createdAt, labels, binding, portAt, ports, networks } = container;
  return {
    source,
    key: name,
    title: `container ${name}`,
    service: serviceOf(container),
    since: createdAt,
    labels,
    prefix,
    binding,
    portAt,
    ports,
    networks,
    after: dependencies(labels).flatMap((service) => names.get(`${labels[COMPOSE.project]} ${service}`) ?? []),
  };
}

/** Of a stack its project and service, else the container's own name. */
function serviceOf({ name, labels }: LabelledContainer): string {
  const { [COMPOSE.project]: project, [COMPOSE.service]: service } = labels;
  return project === undefined || service === undefined ? name : `${project}-${service}`;
}

function nameOf(container: LabelledContainer, prefix: string): string {
  return container.labels[`${prefix}.name`] ?? serviceOf(container);
}

function composeKey(labels: Readonly<Record<string, string>>): string | undefined {
  const { [COMPOSE.project]: project, [COMPOSE.service]: service } = labels;
  return project === undefined || service === undefined ? undefined : `${project} ${service}`;
}

/** `db:service_started:false,cache:service_healthy:true`, as Compose writes it. */
function dependencies(labels: Readonly<Record<string, string>>): string[] {
  const written = labels[COMPOSE.dependsOn] ?? '';
  return written.split(',').flatMap((entry) => entry.split(':', 1)[0]?.trim() || []);
}
