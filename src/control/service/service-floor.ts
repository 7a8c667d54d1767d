import type { ScheduleStatus } from '../../model/idle.ts';
import type { ServiceSettings } from '../../model/settings.ts';
import { type Floor, floorAt } from '../scale/floor.ts';
import { Schedule, type ScheduleState } from '../scale/schedule.ts';
import type { ServiceHost } from './host.ts';
import type { Idling } from './idling.ts';

interface ServiceFloorOptions {
  host: ServiceHost;
  settings: () => ServiceSettings;
  idling: Idling;
}

/** The fewest replicas of one service as they hold now: by `min`, by the schedule, and for a call that is expected. */
export class ServiceFloor {
  readonly #options: ServiceFloorOptions;
  /** Made of these windows. */
  #schedule: { windows: ServiceSettings['scale']['schedule']; times: Schedule } | undefined;
  /** Settings with another `min`, made once. */
  #inForce: { of: ServiceSettings; settings: ServiceSettings } | undefined;

  constructor(options: ServiceFloorOptions) {
    this.#options = options;
  }

  get now(): Floor {
    const { host, settings, idling } = this.#options;
    const { clock } = host.context;
    const { name, scale } = settings();
    const expected = host.freezes.of(name) === undefined ? idling.expected : undefined;
    return floorAt(clock.now(), clock.wall(), scale.min, this.#scheduled, expected);
  }

  /** The settings with `min` as it holds now. */
  settings(floor = this.now): ServiceSettings {
    const of = this.#options.settings();
    if (of.scale.min === floor.replicas) return of;
    const known = this.#inForce;
    if (known?.of === of && known.settings.scale.min === floor.replicas) return known.settings;
    const settings = { ...of, scale: { ...of.scale, min: floor.replicas } };
    this.#inForce = { of, settings };
    return settings;
  }

  /** What the schedule asks for; null where there is none. */
  get schedule(): ScheduleStatus | null {
    const { clock } = this.#options.host.context;
    const schedule = this.#windows;
    if (schedule === undefined) return null;
    const state = schedule.at(clock.wall(), this.#options.idling.startMs);
    const iso = (wall: number | undefined) => (wall === undefined ? null : new Date(wall).toISOString());
    return { min: state.min, until: iso(state.until), nextAt: iso(schedule.opensAfter(clock.wall())) };
  }

  get #scheduled(): ScheduleState | undefined {
    const { host, idling } = this.#options;
    return this.#windows?.at(host.context.clock.wall(), idling.startMs);
  }

  get #windows(): Schedule | undefined {
    const { run, scale } = this.#options.settings();
    if (run === undefined || scale.schedule.length === 0) return undefined;
    if (this.#schedule?.windows !== scale.schedule) {
      this.#schedule = { windows: scale.schedule, times: new Schedule(scale.schedule) };
    }
    return this.#schedule.times;
  }
}
