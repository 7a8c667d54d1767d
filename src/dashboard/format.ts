/** A duration for people: `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`; `–` where there is none. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1) return ms <= 0 ? '0 ms' : `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trim(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** A number per second, short: `0`, `0.4`, `12`, `3,400`. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0';
  if (perSecond < 0.05) return '<0.1';
  return perSecond < 10 ? trim(perSecond) : Math.round(perSecond).toLocaleString('en');
}

/** A size given in MiB. */
export function memory(mib: number | null): string {
  if (mib === null) return '–';
  return mib < 1024 ? `${mib < 10 ? trim(mib) : Math.round(mib)} MiB` : `${trim(mib / 1024)} GiB`;
}

/** Seconds of something that adds up: `340 s`, `5.2 h`. */
export function hours(seconds: number): string {
  return seconds < 3600 ? duration(seconds * 1000) : `${trim(seconds / 3600)} h`;
}

/** An amount of money, with its currency; `–` without prices. */
export function money(amount: number | null, currency: string): string {
  return amount === null ? '–' : `${amount.toFixed(amount < 1 ? 4 : 2)} ${currency}`;
}

/** Local time of day of an ISO 8601 time, or of seconds since the epoch. */
export function timeOfDay(at: string | number): string {
  return new Date(typeof at === 'number' ? at * 1000 : at).toLocaleTimeString('en-GB');
}

/** Local date and time of an ISO 8601 time; the date is left out where it is that of `now` (ms since the epoch). */
export function moment(iso: string, now: number): string {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date(now).toDateString();
  return isToday ? timeOfDay(iso) : `${date.toLocaleDateString('en-CA')} ${timeOfDay(iso)}`;
}

function trim(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}

function two(large: number, unit: string, small: number, smaller: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smaller}`;
}
