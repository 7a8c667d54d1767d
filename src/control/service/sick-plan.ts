import type { ReplicaView } from '../replica/replica-view.ts';
import { allowance } from '../start/circuit.ts';
import { countsOf, queuedIn, readyIn, type ServiceView, sickFirst, wantedIn } from './service-view.ts';
import { ordinals, retire, type Step, withdraw } from './step.ts';

/**
 * Replaces replicas that stay unhealthy, one at a time: a fresh one is started, and once it is ready the sick one
 * retires. Without room for one more, the sick one goes first. Where all are sick, and one that came in place of another
 * fell sick too, it is not the replicas: that is said once, and none is replaced until one is well.
 */
export function planSick(view: ServiceView): Step[] {
  const { run, replicas, intent, scale, circuit, now, isDraining, mayStart, mayEnd } = view;
  const ready = readyIn(view);
  const sick = ready.filter(({ sickSince, hash }) => sickSince !== undefined && hash === run?.hash);
  if (sick.length === 0) return withdraw(needless(view));
  // Those of an older run are replaced as such.
  const isOurs = ready.every(({ hash }) => hash === run?.hash);
  if (isDraining || !mayStart || !mayEnd || !isOurs || intent.sickness.state === 'given-up') return [];
  const { sickness } = intent;
  const isFresh = ({ readyAt }: ReplicaView) => sickness.state === 'replacing' && readyAt > sickness.since;
  if (ready.some(isFresh)) {
    // Whether it is well has to be seen before the next.
    const isNoUse = sick.length === ready.length && sick.some(isFresh);
    return isNoUse ? [{ do: 'give-up-on-sick', replicas: ordinals(sick) }] : [];
  }
  const isEnding = replicas.some(({ doing, reason }) => (doing === 'retire' || doing === 'stop') && isHandled(reason));
  if (isEnding) return [];
  const [first] = sickFirst(sick);
  if (first === undefined) return [];
  const goes = retire(view, [first], 'unhealthy', {});
  const surplus = ready.length - Math.max(1, wantedIn(view));
  if (surplus > 0) return goes;
  // What is missing besides comes first.
  if (surplus < 0) return [];
  const { queued, starting, live } = countsOf(view);
  if (starting > 0 || allowance(circuit, now) < 1) return [];
  // What is in the queue already gets no further without budget.
  const hasRoom = view.budgetLeft > 0 && (queued > 0 || live < scale.max);
  if (!hasRoom) return goes;
  return queued > 0 ? [] : [{ do: 'start', count: 1, cause: 'sick', says: undefined }];
}

function isHandled(reason: string | undefined): boolean {
  return reason === 'unhealthy' || reason === 'replaced' || reason === 'leaving';
}

/** What was to come in place of a sick one, as far as nobody needs it now. */
function needless(view: ServiceView): ReplicaView[] {
  const { queued, starting, ready } = countsOf(view);
  const surplus = Math.max(0, queued + starting + ready - wantedIn(view));
  return queuedIn(view)
    .filter(({ cause }) => cause === 'sick')
    .slice(0, surplus);
}
