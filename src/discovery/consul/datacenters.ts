/** How a service stands in one of its datacenters. */
export interface DatacenterView {
  /** Whether there was an answer that is believed. */
  isKnown: boolean;
  /** Whether an instance may be used there, as far as is known. */
  isUsable: boolean;
}

/** Which datacenter serves, by its place in the order of the file. */
export type Serving =
  /** Since when the first answers are waited for, the clock's ms. */
  | { state: 'waiting'; since: number }
  /** `backSince`: since when one in front of it could serve again, the clock's ms; undefined: none could. */
  | { state: 'serving'; at: number; backSince: number | undefined };

/** How long the first answer of a datacenter is waited for while another one could serve, ms. */
const FIRST_ANSWER_MS = 2000;
/** How long one in front has to be able to serve before it does again, ms. */
const BACK_MS = 10_000;

/**
 * The first datacenter with a usable instance serves. When it has none any more, the next one does at once; when it has
 * some again, it serves after 10 s in which it always had. Where none has any, the one that served last is looked at.
 */
export function chooseDatacenter(before: Serving, views: readonly DatacenterView[], now: number): Serving {
  const first = views.findIndex(({ isUsable }) => isUsable);
  if (before.state === 'waiting') {
    const isAwaited = views.slice(0, first < 0 ? undefined : first).some(({ isKnown }) => !isKnown);
    if (isAwaited && now - before.since < FIRST_ANSWER_MS) return before;
    if (first >= 0) return { state: 'serving', at: first, backSince: undefined };
    return isAwaited ? before : { state: 'serving', at: 0, backSince: undefined };
  }
  const { at, backSince = now } = before;
  const settled: Serving = { state: 'serving', at, backSince: undefined };
  if (first < 0 || first === at) return settled;
  if (!views[at]?.isUsable || (first < at && now - backSince >= BACK_MS)) return { ...settled, at: first };
  return first < at ? { ...settled, backSince } : settled;
}
