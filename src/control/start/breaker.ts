import type { Clock, Timer } from '../../util/clock.ts';
import {
  blockedUntil,
  type Circuit,
  type CircuitEvent,
  isFailing,
  newCircuit,
  nextCircuit,
  streakOf,
} from './circuit.ts';

/** The circuit of one service's starts, with its timer. */
export class StartBreaker {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onUnblocked: () => void;
  #circuit: Circuit = newCircuit;
  #timer: Timer | undefined;

  /** @param onUnblocked called when starts may be tried again */
  constructor(clock: Clock, random: () => number, onUnblocked: () => void) {
    this.#clock = clock;
    this.#random = random;
    this.#onUnblocked = onUnblocked;
  }

  get circuit(): Circuit {
    return this.#circuit;
  }

  /** When blocked starts may be tried again, the clock's ms; undefined while they are not blocked. */
  get blockedUntil(): number | undefined {
    return blockedUntil(this.#circuit, this.#clock.now());
  }

  /**
   * Until when requests are turned away, the clock's ms; undefined while they may wait for the next start. One that
   * answered and then ended once may have been killed: who asks for it waits the back-off out.
   */
  get refusedUntil(): number | undefined {
    return this.isFailing ? this.blockedUntil : undefined;
  }

  /** Failed starts in a row. */
  get failures(): number {
    return streakOf(this.#circuit, this.#clock.now()).failures;
  }

  /** Crashed replicas in a row. */
  get crashes(): number {
    return streakOf(this.#circuit, this.#clock.now()).crashes;
  }

  get isFailing(): boolean {
    return isFailing(this.#circuit);
  }

  note(event: CircuitEvent): void {
    this.#circuit = nextCircuit(this.#circuit, event, this.#clock.now(), this.#random);
    this.#timer?.cancel();
    this.#timer = undefined;
    const until = this.blockedUntil;
    if (until !== undefined) this.#timer = this.#clock.after(until - this.#clock.now(), this.#onUnblocked);
  }

  close(): void {
    this.#timer?.cancel();
  }
}
