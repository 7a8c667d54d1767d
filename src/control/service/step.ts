import type { RetireSaying, StartInputs } from '../journal/decision-log.ts';
import { isLive, type StartCause } from '../replica/replica.ts';
import type { ReplicaView } from '../replica/replica-view.ts';
import { isRevocable, type RetireReason } from '../replica/retire.ts';
import { newCircuit, nextCircuit } from '../start/circuit.ts';
import { apply, put } from './apply.ts';
import type { ServiceView } from './service-view.ts';

/** Ordinals of the replicas that a step is about, in the order in which their turn comes. */
type Ordinals = readonly number[];

/** What the decision log says of starts: they wake the service, or fill up what is there. */
export interface StartSaying {
  action: 'waking' | 'refilling';
  from: number;
  inputs: StartInputs;
}

/** Something to be done about a service's replicas. */
export type Step =
  /** Starts that stand in the queue behind a rate limit go ahead: requests wait for them. */
  | { do: 'hurry-starts' }
  /** Queues starts, each in the lowest place that is free then. Nothing is said where the scaler said it, or will. */
  | { do: 'start'; count: number; cause: StartCause; says: StartSaying | undefined }
  /** Takes starts out of the queue. */
  | { do: 'withdraw'; replicas: Ordinals }
  /** Calls off starts and adoptions under way, and stops what they started. */
  | { do: 'call-off'; replicas: Ordinals }
  /** Lets starts go on at once after failures: what was is no guide any more. */
  | { do: 'forgive' }
  /** Begins the two-phase end of ready replicas. Nothing is said where the scaler said it. */
  | { do: 'retire'; replicas: Ordinals; reason: RetireReason; says: RetireSaying | undefined }
  /** Says that replicas would be put to sleep, and does not do it. */
  | { do: 'rest-dry'; replicas: Ordinals; idleForMs: number; says: RetireSaying }
  /** What retires without haste has no longer than the drain from now on. */
  | { do: 'hurry-retires' }
  /** Calls retirements off. */
  | { do: 'revoke'; replicas: Ordinals; why: string }
  /** Ends everything at once: nothing is sent to it any more. */
  | { do: 'stop-now' }
  /** Pre-positions what does not run. */
  | { do: 'prepare'; replicas: Ordinals }
  /** Looks again at a time, the clock's ms, in place of the one named before. */
  | { do: 'look-again'; at: number };

/** The view when a step has been carried out and nothing else has happened. */
export function foresee(view: ServiceView, step: Step): ServiceView {
  switch (step.do) {
    case 'start': {
      const circuit = nextCircuit(view.circuit, { type: 'started' }, view.now, () => 0);
      let { replicas } = view;
      for (let i = 0; i < step.count; i++) replicas = put(replicas, queuedIn(view, replicas, step.cause));
      return { ...view, circuit, replicas };
    }
    case 'hurry-starts':
      return changed(view, ordinalsOf(view), (replica) =>
        replica.doing === 'queued' ? { ...replica, isLimited: false } : replica,
      );
    case 'withdraw':
      return changed(view, step.replicas, settled);
    case 'call-off':
      return changed(view, step.replicas, (replica) => ({ ...replica, isCalledOff: true }));
    case 'forgive':
      return { ...view, circuit: newCircuit };
    case 'retire': {
      const { reason } = step;
      const retiring = view.replicas
        .filter(({ ordinal }) => step.replicas.includes(ordinal))
        .map((replica): ReplicaView => {
          const state = {
            state: 'cordoned',
            doing: 'retire',
            isRevocable: isRevocable(reason),
            isClosing: false,
          } as const;
          return { ...replica, ...state, reason };
        });
      return apply(view, { type: 'retiring', replicas: retiring, reason });
    }
    case 'rest-dry':
      return apply(view, { type: 'rested', idleForMs: step.idleForMs });
    case 'revoke':
      return view.replicas
        .filter(({ ordinal }) => step.replicas.includes(ordinal))
        .reduce((seen, each) => apply(seen, { type: 'revoked', replica: { ...settled(each), state: 'ready' } }), view);
    case 'stop-now':
      return changed(view, ordinalsOf(view), (replica) =>
        replica.state === 'ready' || replica.doing === 'retire'
          ? { ...settled(replica), state: 'stopping', doing: 'stop', reason: 'shutdown' }
          : replica.doing === 'queued'
            ? settled(replica)
            : replica,
      );
    case 'hurry-retires':
    case 'prepare':
    case 'look-again':
      return view;
  }
}

function changed(view: ServiceView, ordinals: Ordinals, change: (replica: ReplicaView) => ReplicaView): ServiceView {
  const replicas = view.replicas.map((each) => (ordinals.includes(each.ordinal) ? change(each) : each));
  return { ...view, replicas };
}

function ordinalsOf({ replicas }: ServiceView): number[] {
  return replicas.map(({ ordinal }) => ordinal);
}

/** Nothing is being done with it. */
function settled({ ordinal, state, hash, readyAt, inFlight, oldestMs }: ReplicaView): ReplicaView {
  return { ordinal, state, doing: 'none', hash, readyAt, inFlight, oldestMs };
}

/** A start in the lowest free place. */
function queuedIn({ run }: ServiceView, replicas: readonly ReplicaView[], cause: StartCause): ReplicaView {
  for (let ordinal = 1; ; ordinal++) {
    const known = replicas.find((each) => each.ordinal === ordinal);
    if (known !== undefined && (isLive(known) || known.doing !== 'none')) continue;
    const empty = { state: 'created', readyAt: 0, inFlight: 0, oldestMs: 0 } as const;
    const isLimited = cause !== 'demand' && cause !== 'by-hand';
    return { ...empty, ...known, ordinal, doing: 'queued', hash: run?.hash ?? '', cause, isLimited };
  }
}
