import { dispensable } from './memory-stake.ts';
import type { ServiceView } from './service-view.ts';
import { drop, retire, type Step } from './step.ts';

/** Has replicas go to make room for others, those of them that are still not in use. */
export function planMakeRoom(view: ServiceView): Step[] {
  const { news, now } = view;
  if (news.type !== 'room-wanted') return [];
  const going = dispensable(view, news.startMs)
    .filter(({ replica, mayGoAt }) => mayGoAt <= now && news.ordinals.includes(replica.ordinal))
    .map(({ replica }) => replica);
  const [paused, ready] = [going.filter(isPaused), going.filter((replica) => !isPaused(replica))];
  return [...retire(view, ready, 'memory', { text: news.why }), ...drop(view, paused, news.why)];
}

function isPaused({ state }: { state: string }): boolean {
  return state === 'paused';
}
