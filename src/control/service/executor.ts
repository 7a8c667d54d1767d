import type { Clock, Timer } from '../../util/clock.ts';
import type { DecisionLog } from '../journal/decision-log.ts';
import type { Replica } from '../replica/replica.ts';
import type { ReplicaSet } from '../replica/replica-set.ts';
import type { StartBreaker } from '../start/breaker.ts';
import type { ServiceEvent } from './service-event.ts';
import type { Step } from './step.ts';

interface ExecutorOptions {
  clock: Clock;
  set: ReplicaSet;
  breaker: StartBreaker;
  decisions: DecisionLog;
  /** Pre-positions a replica that does not run. */
  prepare: (replica: Replica) => void;
  /** Takes note of what came of a step at once; what comes of it later, the replica set tells. */
  happened: (event: ServiceEvent) => void;
  /** It is time to look at the service again. */
  look: () => void;
}

/** Longest time that a timer can wait for, ms: another look names the time again. */
const LONGEST_MS = 2 ** 31 - 1;

/** Carries out the plan of one service, step by step, and has the decision log say so. */
export class Executor {
  readonly #options: ExecutorOptions;
  #timer: Timer | undefined;
  /** When it is over, the clock's ms. */
  #lookAt = 0;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  carryOut(steps: readonly Step[]): void {
    for (const step of steps) this.#carryOut(step);
  }

  /** Looks again at no time that was named before. */
  stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #carryOut(step: Step): void {
    const { clock, set, breaker, decisions, happened } = this.#options;
    switch (step.do) {
      case 'hurry-starts':
        set.hurryStarts();
        break;
      case 'start': {
        const { count, cause, says } = step;
        for (let i = 0; i < count; i++) set.start(cause);
        breaker.note({ type: 'started' });
        if (says !== undefined) decisions[says.action](cause, says.from, says.from + count, says.inputs);
        break;
      }
      case 'withdraw':
        set.withdraw(this.#at(step.replicas));
        break;
      case 'call-off':
        set.callOff(this.#at(step.replicas));
        break;
      case 'forgive':
        breaker.note({ type: 'forgiven' });
        break;
      case 'retire': {
        const { reason, says } = step;
        const replicas = this.#at(step.replicas);
        if (says !== undefined) decisions.retiring(reason, replicas, says);
        set.retire(replicas, reason);
        happened({ type: 'retiring', replicas: set.views(replicas), reason });
        break;
      }
      case 'rest-dry':
        decisions.retiring('idle', this.#at(step.replicas), step.says, true);
        happened({ type: 'rested', idleForMs: step.idleForMs });
        break;
      case 'give-up-on-sick':
        decisions.gaveUpOnSick(this.#at(step.replicas));
        happened({ type: 'gave-up' });
        break;
      case 'hurry-retires':
        set.hurryRetires();
        break;
      case 'revoke':
        set.revoke(this.#at(step.replicas), step.why);
        break;
      case 'drop': {
        const replicas = this.#at(step.replicas);
        decisions.dropping(replicas, step.why);
        set.drop(replicas, 'dropped');
        break;
      }
      case 'stop-now':
        set.stopNow('shutdown');
        break;
      case 'prepare':
        for (const replica of this.#at(step.replicas)) this.#options.prepare(replica);
        break;
      case 'look-again':
        // Whichever of them comes first finds the others again.
        if (this.#timer !== undefined && this.#lookAt <= step.at) break;
        this.stopTimer();
        this.#lookAt = step.at;
        this.#timer = clock.after(Math.min(LONGEST_MS, step.at - clock.now()), this.#options.look);
        break;
    }
  }

  #at(ordinals: readonly number[]): Replica[] {
    return ordinals.map((ordinal) => this.#options.set.at(ordinal));
  }
}
