import type { Clock, Timer } from '../../util/clock.ts';
import { type IdleInputs, idleVerdict } from './idle-policy.ts';

/** Asks the idle policy whenever something changed, and at the very moment at which its answer will. */
export class IdleWatch {
  readonly #clock: Clock;
  readonly #inputs: () => IdleInputs;
  readonly #retire: (idleForMs: number) => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, inputs: () => IdleInputs, retire: (idleForMs: number) => void) {
    this.#clock = clock;
    this.#inputs = inputs;
    this.#retire = retire;
  }

  check(): void {
    this.stop();
    const inputs = this.#inputs();
    const verdict = idleVerdict(inputs);
    if (verdict.verdict === 'retire') this.#retire(verdict.idleForMs);
    if (verdict.verdict === 'later') this.#timer = this.#clock.after(verdict.at - inputs.now, () => this.check());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
