import type { ReplicaView } from '../replica/replica-view.ts';
import { IN_USE_MS } from '../replica/retire.ts';
import type { MemoryHolder, MemoryStake } from '../start/cheapest-to-lose.ts';
import { isLeftAlone } from './ask.ts';
import { countsOf, isAsked, pausedIn, readyIn, type ServiceView, sickFirst } from './service-view.ts';

/** A replica is not sent away to make room before it has been ready for so long, ms … */
const LEAST_STAY_MS = 10_000;
/** … and so many times its start: two services that do not fit in together are not to do nothing but start. */
const LEAST_STAY_STARTS = 10;

/** What is known of a service's replicas beside what decisions about itself go by. */
export interface MemoryKnown {
  needMiB: number;
  /** What it needs was seen; else it is a limit, or a guess. */
  isMeasured: boolean;
  startMs: number;
  callsPerHour: number;
  /** Of the replica at a place when it was asked last; undefined before. */
  memoryOf: (ordinal: number) => number | undefined;
}

/** A replica that may go to make room for others, and from when on, the clock's ms. */
interface Dispensable {
  replica: ReplicaView;
  mayGoAt: number;
}

/**
 * Replicas that may go to make room: what is paused, and of an idle service what is more than its `min`, those first that
 * it misses least. Never what is in use, or was a moment ago.
 */
export function dispensable(view: ServiceView, startMs: number): Dispensable[] {
  const { scale, keepMs, isBusy, isFresh, lastActivityAt, intent, run } = view;
  if (isLeftAlone(view) || isAsked(view) || run?.contact !== 'known') return [];
  const paused = pausedIn(view).map((replica) => ({ replica, mayGoAt: replica.pausedAt ?? 0 }));
  // What is never to be put to sleep is not idle in anybody's eyes.
  if (isBusy || !isFresh || keepMs === 'never') return paused;
  const ready = readyIn(view);
  const surplus = Math.max(0, ready.length - scale.min);
  const stayMs = Math.max(LEAST_STAY_MS, LEAST_STAY_STARTS * startMs);
  const idle = sickFirst(ready)
    .slice(0, surplus)
    .map((replica) => ({
      replica,
      mayGoAt: Math.max(lastActivityAt + IN_USE_MS, replica.readyAt + stayMs, intent.idleNotBefore),
    }));
  return [...idle, ...paused];
}

/** What a service has of the memory; undefined: nothing, and nothing is coming. */
export function stakeOf(view: ServiceView, known: MemoryKnown, name: string): MemoryStake | undefined {
  const { replicas, isBusy, now, lastActivityAt } = view;
  const there = replicas.filter((each) => isHolding(each) || each.doing === 'queued');
  if (there.length === 0) return undefined;
  const { needMiB, isMeasured, startMs, callsPerHour, memoryOf } = known;
  const free = new Map(dispensable(view, startMs).map(({ replica, mayGoAt }) => [replica.ordinal, mayGoAt]));
  // One of those that may go is the one that a wake would have go on, or that saves it.
  const dear = countsOf(view).ready > 0 ? readyIn(view).at(-1) : pausedIn(view).at(-1);
  const holders = there.filter(isHolding).map(
    (each): MemoryHolder => ({
      ordinal: each.ordinal,
      name: `${name}-${each.ordinal}`,
      // What runs may take as much as it ever did; what is paused takes no more than it has.
      memoryMiB: (each.state === 'paused' ? memoryOf(each.ordinal) : undefined) ?? needMiB,
      state: each.state === 'paused' ? 'paused' : isLeaving(each) ? 'leaving' : 'used',
      mayGoAt: free.get(each.ordinal),
      isSpare: each.ordinal !== dear?.ordinal,
    }),
  );
  return { needMiB, isMeasured, startMs, callsPerHour, usedAt: isBusy ? now : lastActivityAt, holders };
}

function isHolding({ state }: ReplicaView): boolean {
  return state !== 'created' && state !== 'stopped' && state !== 'failed';
}

/** It ends, and nobody means to have it back; what is about to be paused keeps its memory. */
function isLeaving({ state, doing, reason }: ReplicaView): boolean {
  return state === 'stopping' || (doing === 'retire' && reason === 'memory');
}
