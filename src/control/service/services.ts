import { PilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import { guarded } from '../context.ts';
import type { ServiceController } from './controller.ts';
import { Groups } from './groups.ts';

/** All services of the control plane. One service's failure keeps no other from its turn. */
export class Services {
  readonly byName = new Map<string, ServiceController>();
  readonly groups: Groups;
  readonly #logger: Logger;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.groups = new Groups(
      (name) => this.byName.get(name)?.lifecycle,
      () => clock.now(),
    );
  }

  get all(): ServiceController[] {
    return [...this.byName.values()];
  }

  /** @throws SERVICE_UNKNOWN */
  known(name: string): ServiceController {
    const service = this.byName.get(name);
    if (service === undefined) throw new PilotlightError('SERVICE_UNKNOWN', `no service is called ${name}`);
    return service;
  }

  each(call: (service: ServiceController) => void, services: Iterable<ServiceController> = this.all): void {
    for (const service of services) guarded(this.#logger, `turn of ${service.name}`, () => call(service));
  }

  /** Those that a look could find something to do for, and those that are spoken of. */
  undormant(spokenOf?: { has(name: string): boolean }): ServiceController[] {
    const undormant: ServiceController[] = [];
    // A loop of `for` would leave a result behind for each of thousands, twice a second.
    this.byName.forEach((service) => {
      if (!service.lifecycle.isDormant || spokenOf?.has(service.name)) undormant.push(service);
    });
    return undormant;
  }
}
