import { victimsFirst } from '../scale/victims.ts';
import { isLeftAlone } from './ask.ts';
import { readyIn, type ServiceView, sickFirst } from './service-view.ts';
import { retire, type Step } from './step.ts';

/**
 * Gives up what is more than the service's share of the budget, one replica to each of those that have less than theirs:
 * the least useful ones, and never the last. Nothing is cut: what is in flight may end.
 */
export function planGiveUp(view: ServiceView): Step[] {
  const ready = readyIn(view);
  const takers = view.gives.slice(0, Math.max(0, ready.length - 1));
  if (takers.length === 0 || isLeftAlone(view)) return [];
  const victims = sickFirst(victimsFirst(ready)).slice(0, takers.length);
  const who = `${takers.join(', ')} ${takers.length === 1 ? 'gets one' : 'get one each'}`;
  return retire(view, victims, 'given-up', { text: `more than its fair share of the budget: ${who}` });
}
