import type { StartCause } from '../../model/replica.ts';
import type { ReplicaView } from '../replica/replica-view.ts';
import type { RetireReason } from '../replica/retire.ts';

/**
 * What happens to a service, as far as it decides what is to become of it. `replica` is the one that it is about, as it
 * is after that.
 */
export type ServiceEvent =
  /** Something may have changed. `cause`: why a replica is missing that nothing else asks for. */
  | { type: 'looked'; cause: StartCause }

  /** An operator wants it awake, or asleep. */
  | { type: 'woken' }
  | { type: 'slept' }
  /** The scaler decided on so many replicas of our own. */
  | { type: 'scaled'; to: number }
  /** An operator wants so many replicas of our own. */
  | { type: 'scaled-by-hand'; to: number }
  /** An operator takes one replica out, or has it back while it retires. */
  | { type: 'drained-by-hand'; ordinal: number; drain: boolean }
  /**
   * Its configuration changed: `run` is the one that it had, another one or none; where it is another one, `inPlace`
   * tells that the old replica has to end first.
   */
  | { type: 'configured'; run: 'same' | 'other' | 'none'; inPlace: boolean; maxBefore: number }
  /** It is in the configuration no more. */
  | { type: 'removed' }
  /** It ends with the proxy. */
  | { type: 'ended' }
  /** A successor takes its replicas over. */
  | { type: 'handed-over' }
  /** An edge is gone, with what was held and in flight there. */
  | { type: 'edge-lost' }
  /** It is known what runs, or the runtime refused to say. */
  | { type: 'contacted' }

  /** A start, or an adoption, was proved. */
  | { type: 'ready'; replica: ReplicaView; isAdopted: boolean }
  /** A start came to nothing, or its replica ended soon after. */
  | { type: 'start-failed'; replica: ReplicaView }
  /** What was found running did not prove itself. */
  | { type: 'adoption-failed'; replica: ReplicaView }
  /** `wasInUse`: the service had requests just before; `isLost`: it went with its host, which nobody wanted. */
  | { type: 'exited'; replica: ReplicaView; wasInUse: boolean; isLost: boolean }
  | { type: 'stopped'; replica: ReplicaView }
  /** It is frozen. */
  | { type: 'paused'; replica: ReplicaView }
  /** It ended while it was frozen. */
  | { type: 'frozen-ended'; replica: ReplicaView }
  /** It was to go on and did not: another one is needed in its place. */
  | { type: 'resume-failed'; replica: ReplicaView }
  /** Replicas at these places are to go, as others need their memory; one of them takes so long to start, ms. */
  | { type: 'room-wanted'; ordinals: readonly number[]; startMs: number; why: string }
  | { type: 'retiring'; replicas: readonly ReplicaView[]; reason: RetireReason }
  /** Its retirement was called off. */
  | { type: 'revoked'; replica: ReplicaView }
  /** All replicas are sick, those too that came in place of others: it is not the replicas. */
  | { type: 'gave-up' }
  /** In a dry run it would have been put to sleep after so long a time, ms. */
  | { type: 'rested'; idleForMs: number };
