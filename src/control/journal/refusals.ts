/** A row of ticks at which the same was refused; with the key `''`: nothing. */
interface Spell<Entry> {
  /** The same for what counts as the same refusal: kind of change and guards, whatever their numbers. */
  key: string;
  /** The clock's ms. */
  since: number;
  ticks: number;
  /** That of its first tick. */
  first: Entry | undefined;
}

/**
 * The refusals of one service. A moment is no refusal, and a moment without it no end: a guard that waits for its third
 * tick, or a quantile at its threshold, would be told of again and again.
 */
export interface RefusalWatch<Entry> {
  /** The refusal that was told of and is not over. */
  standing: Spell<Entry> | undefined;
  /** What has been seen instead since, but not often enough to be told. */
  coming: Spell<Entry> | undefined;
}

/** What a tick, or a change, made of a watch. */
export interface Watched<Entry> {
  watch: RefusalWatch<Entry>;
  /** The refusal that is to be told of from now on. */
  begun?: Spell<Entry>;
  /** The one that is over, and since when, the clock's ms. */
  ended?: Spell<Entry> & { until: number };
}

/** So many ticks in a row make a refusal, or end one. */
const TICKS = 3;

export const noRefusals: RefusalWatch<never> = { standing: undefined, coming: undefined };

/**
 * After a tick.
 * @param key of what was refused; `''` where nothing was
 * @param first called where another spell begins
 */
export function watchTick<Entry>(
  { standing, coming }: RefusalWatch<Entry>,
  key: string,
  now: number,
  first: () => Entry | undefined,
): Watched<Entry> {
  if (key === (standing?.key ?? '')) {
    return { watch: { standing: standing && { ...standing, ticks: standing.ticks + 1 }, coming: undefined } };
  }
  const next =
    coming?.key === key ? { ...coming, ticks: coming.ticks + 1 } : { key, since: now, ticks: 1, first: first() };
  if (next.ticks < TICKS) return { watch: { standing, coming: next } };
  const begun = key === '' ? undefined : next;
  return {
    watch: { standing: begun, coming: undefined },
    ...(begun && { begun }),
    ...(standing && { ended: { ...standing, until: next.since } }),
  };
}

/** After a change: whatever was refused before it is over. */
export function watchChange<Entry>({ standing }: RefusalWatch<Entry>, now: number): Watched<Entry> {
  return { watch: noRefusals, ...(standing && { ended: { ...standing, until: now } }) };
}

/** What is refused now, since when; undefined where nothing is. */
export function present<Entry>({ standing, coming }: RefusalWatch<Entry>): Spell<Entry> | undefined {
  const now = coming ?? standing;
  return now?.key === '' ? undefined : now;
}
