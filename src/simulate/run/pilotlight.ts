import { createControl } from '../../control/create-control.ts';
import type { ControlMessage, EdgeMessage } from '../../model/link.ts';
import type { Logger, Metrics } from '../../model/observe.ts';
import type { Settings } from '../../model/settings.ts';
import type { ChannelEnd } from '../../util/channel.ts';
import type { VirtualClock } from '../../util/virtual-clock.ts';
import type { Random } from '../random.ts';
import type { Conductor } from './conductor.ts';
import type { Fleet } from './fleet.ts';

const NO_METRICS: Metrics = { count() {}, gauge() {}, observe() {}, forget() {} };

/** The product's own control plane, as it is. An error that it logs is one of the simulation, too. */
export function pilotlight(
  settings: Settings,
  clock: VirtualClock,
  fleet: Fleet,
  random: Random,
  link: ChannelEnd<EdgeMessage, ControlMessage>,
): Conductor {
  const life = new AbortController();
  let fault: Error | undefined;
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error(fields, message) {
      const { err } = fields as { err?: unknown };
      fault ??= new Error(`the control plane failed: ${message}`, { cause: err });
    },
  };
  const runtimes = [...new Set(settings.services.flatMap(({ run }) => run?.runtime ?? []))];
  const control = createControl({
    settings,
    clock,
    logger,
    metrics: NO_METRICS,
    runtimes: runtimes.map((name) => fleet.runtime(name)),
    sources: [],
    instance: 'simulated',
    secret: 'simulated',
    random,
  });
  control.attach('edge', link);
  return {
    start: () => control.start(life.signal),
    async decisions(service) {
      if (fault !== undefined) throw fault;
      return (await control.why(service)).decisions;
    },
    aboveMs: (service) => control.threshold(service)?.aboveMs ?? Number.POSITIVE_INFINITY,
    end: () => life.abort(),
  };
}
