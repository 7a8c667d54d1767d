import type { StartCause } from '../../model/replica.ts';
import { placeToStart, type ReplicaView } from '../replica/replica-view.ts';
import { isRevocable } from '../replica/retire.ts';
import { newCircuit, nextCircuit } from '../start/circuit.ts';
import { apply, put } from './apply.ts';
import type { ServiceView } from './service-view.ts';
import type { Ordinals, Step } from './step.ts';

/** The view when a step has been carried out and nothing else has happened. */
export function foresee(view: ServiceView, step: Step): ServiceView {
  switch (step.do) {
    case 'start': {
      const circuit = nextCircuit(view.circuit, { type: 'started' }, view.now, () => 0);
      let { replicas } = view;
      for (let i = 0; i < step.count; i++) replicas = put(replicas, placeIn(view, replicas, step.cause));
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
      return apply({ ...view, gives: [] }, { type: 'retiring', replicas: retiring, reason });
    }
    case 'rest-dry':
      return apply(view, { type: 'rested', idleForMs: step.idleForMs });
    case 'give-up-on-sick':
      return apply(view, { type: 'gave-up' });
    case 'revoke':
      return view.replicas
        .filter(({ ordinal }) => step.replicas.includes(ordinal))
        .reduce((seen, each) => apply(seen, { type: 'revoked', replica: { ...settled(each), state: 'ready' } }), view);
    case 'drop':
      return changed(view, step.replicas, (replica) => ({
        ...settled(replica),
        state: 'stopping',
        doing: 'stop',
        reason: 'dropped',
      }));
    case 'stop-now':
      return changed(view, ordinalsOf(view), (replica) =>
        replica.state === 'ready' ||
        replica.state === 'paused' ||
        replica.doing === 'retire' ||
        replica.doing === 'pause'
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

/** A start in the place that is next. */
function placeIn({ run }: ServiceView, replicas: readonly ReplicaView[], cause: StartCause): ReplicaView {
  const hash = run?.hash ?? '';
  const ordinal = placeToStart(replicas, hash);
  const known = replicas.find((each) => each.ordinal === ordinal);
  const empty = { state: 'created', readyAt: 0, inFlight: 0, oldestMs: 0 } as const;
  const isLimited = cause !== 'demand' && cause !== 'by-hand';
  return { ...empty, ...known, ordinal, doing: 'queued', hash, cause, isLimited };
}
