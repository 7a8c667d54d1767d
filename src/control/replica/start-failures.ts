import type { PilotlightError } from '../../model/errors.ts';
import type { StartFailure } from '../../model/status.ts';
import { printable } from '../../util/printable.ts';
import { type ControlContext, detached } from '../context.ts';
import { lastOutput, START_LINES } from './last-output.ts';
import type { Replica } from './replica.ts';

/** Engines can be long-winded, characters. */
const MESSAGE_LENGTH = 600;

/** What is known of a failure besides the replica. */
interface FailureCircumstances {
  error: PilotlightError;
  /** The runtime's id of the run, where there was one. */
  run: string | undefined;
  inARow: number;
  /** Until when no start is tried, the clock's ms. */
  blockedUntil: number | undefined;
}

/** Why starts of one service failed: gathers what there is to say, tells it once, and keeps the last for who looks. */
export class StartFailures {
  readonly #context: ControlContext;
  readonly #tell: (failure: StartFailure) => void;
  #last: StartFailure | undefined;
  /** How often what failed before was made good. */
  #mended = 0;

  /** @param tell called with every failure, as soon as its output is known */
  constructor(context: ControlContext, tell: (failure: StartFailure) => void) {
    this.#context = context;
    this.#tell = tell;
  }

  get last(): StartFailure | undefined {
    return this.#last;
  }

  add(replica: Replica, { error, run, inARow, blockedUntil }: FailureCircumstances): void {
    const { clock } = this.#context;
    const { probe = null, exitCode = null } = replica.attempt;
    const now = clock.now();
    const iso = (at: number) => new Date(clock.wall() + at - now).toISOString();
    const failure: StartFailure = {
      at: iso(now),
      replica: replica.name,
      code: error.code,
      message: printable(error.message, MESSAGE_LENGTH),
      exitCode,
      output: [],
      probe,
      inARow,
      nextTryAt: blockedUntil === undefined ? null : iso(blockedUntil),
    };
    const mended = this.#mended;
    const told = (run === undefined ? Promise.resolve([]) : lastOutput(this.#context, replica, run, START_LINES)).then(
      (output) => {
        const whole = { ...failure, output };
        if (mended === this.#mended) this.#last = whole;
        this.#tell(whole);
      },
    );
    detached(this.#context, `output of ${replica.name}`, told);
  }

  /** A start succeeded, or what failed is not what would be started now. */
  mend(): void {
    this.#mended++;
    this.#last = undefined;
  }
}
