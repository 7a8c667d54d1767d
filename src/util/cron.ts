import { Cron } from 'croner';

/** Minute, hour, day of month, month, day of week. */
const FIELDS = 5;

/** What is wrong with a cron expression, in words; undefined where nothing is. */
export function cronFault(expression: string): string | undefined {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== FIELDS) {
    return `a cron expression has ${FIELDS} fields (minute hour day month weekday), not ${fields.length}`;
  }
  try {
    if (new Cron(expression, { paused: true, mode: '5-part' }).nextRun() === null)
      return `"${expression}" is never due`;
  } catch {
    return `"${expression}" is no cron expression (minute hour day month weekday)`;
  }
  return undefined;
}

/** Whether the system knows a time zone: `Europe/Berlin`, `UTC`. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** When a cron expression is due, in the local time of a zone. */
export class CronTimes {
  readonly #cron: Cron;

  /** @param expression without a fault, as `cronFault` finds them; @param timeZone a name that is known */
  constructor(expression: string, timeZone: string) {
    this.#cron = new Cron(expression, { paused: true, mode: '5-part', timezone: timeZone });
  }

  /** The first time after a moment; both ms since the epoch. Infinite where there is none. */
  after(wall: number): number {
    return this.#cron.nextRun(new Date(wall))?.getTime() ?? Number.POSITIVE_INFINITY;
  }
}
