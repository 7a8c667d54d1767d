import type { ScheduleWindow } from '../../model/settings.ts';
import { CronTimes } from '../../util/cron.ts';

/** What a schedule asks for at a moment; times are the wall's ms. */
export interface ScheduleState {
  /** Fewest replicas: the most that a window which is open asks for; 0 while none is. */
  min: number;
  /** When the last window with that many closes; undefined while none is open. */
  until: number | undefined;
  /** When this may be another one. */
  changesAt: number;
}

/** Nothing is looked for further ahead than this, ms: wall clocks are set. */
const LOOK_AGAIN_MS = 3_600_000;

/** The windows of one service. */
export class Schedule {
  readonly #windows: { window: ScheduleWindow; times: CronTimes }[];
  /** It was worked out for the time from `from` until it changes. */
  #state: (ScheduleState & { from: number; leadMs: number }) | undefined;

  constructor(windows: readonly ScheduleWindow[]) {
    this.#windows = windows.map((window) => ({ window, times: new CronTimes(window.from, window.timeZone) }));
  }

  /**
   * @param wall ms since the epoch
   * @param leadMs windows open so much earlier: what is started then is ready in time
   */
  at(wall: number, leadMs: number): ScheduleState {
    const known = this.#state;
    if (known !== undefined && known.leadMs === leadMs && wall >= known.from && wall < known.changesAt) return known;
    this.#state = { ...this.#workOut(wall, leadMs), from: wall, leadMs };
    return this.#state;
  }

  /** When the next window opens, the wall's ms; undefined where none does. */
  opensAfter(wall: number): number | undefined {
    const at = Math.min(...this.#windows.map(({ times }) => times.after(wall)));
    return Number.isFinite(at) ? at : undefined;
  }

  #workOut(wall: number, leadMs: number): ScheduleState {
    const state: ScheduleState = { min: 0, until: undefined, changesAt: wall + LOOK_AGAIN_MS };
    for (const { window, times } of this.#windows) {
      const { forMs, min } = window;
      // The first that is not over.
      const opensAt = times.after(wall - forMs);
      const closesAt = opensAt + forMs;
      const isOpen = opensAt - leadMs <= wall;
      state.changesAt = Math.min(state.changesAt, isOpen ? closesAt : opensAt - leadMs);
      if (!isOpen || min < state.min) continue;
      state.until = min === state.min ? Math.max(state.until ?? 0, closesAt) : closesAt;
      state.min = min;
    }
    return state;
  }
}
