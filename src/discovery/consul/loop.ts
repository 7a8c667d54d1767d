import { type PilotlightError, toPilotlightError } from '../../model/errors.ts';
import { backoffDelay } from '../../util/backoff.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { AnswerRoom } from './answer-room.ts';
import type { AskConsul, ConsulAnswer, ConsulQuery } from './client.ts';
import { Pace } from './pace.ts';

interface ConsulLoopOptions {
  /** What is asked again and again. */
  question: Pick<ConsulQuery, 'path' | 'parameters'>;
  /** Where each answer goes, which is wanted as it is written; looked at before each question. */
  room?: () => AnswerRoom;
  ask: AskConsul;
  clock: Clock;
  random: () => number;
  /** How long Consul may wait for a change before it answers anyway, ms; looked at before each question. */
  waitMs: () => number;
  /** Takes an answer over and says whether it holds anything new. @throws DISCOVERY_FAILED when it makes no sense */
  take: (answer: ConsulAnswer, signal: AbortSignal) => boolean | Promise<boolean>;
  /** Called after each answer that was taken over. */
  onAnswer: () => void;
  /** Called after each question that failed. */
  onFailure: (error: PilotlightError) => void;
}

/** How the loop stands with Consul. */
type Touch = { state: 'none' } | { state: 'kept' } | { state: 'lost'; since: number };

export const LONG_WAIT_MS = 300_000;
/** On top of the time that Consul itself may take. */
export const GRACE_MS = 10_000;
export const BACKOFF = { base: 200, cap: 10_000, jitter: 0.5 };

/**
 * Asks one blocking query for ever. No answer ends it: failures back off with jitter, answers that come too fast are
 * paced, an index that goes back or is missing starts over.
 */
export class ConsulLoop {
  readonly #options: ConsulLoopOptions;
  readonly #pace: Pace;
  #touch: Touch = { state: 'none' };
  #index = 0n;
  #failures = 0;

  constructor(options: ConsulLoopOptions) {
    this.#options = options;
    this.#pace = new Pace(options.clock);
  }

  /** Runs until aborted; never rejects. Called once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = await this.#round(signal);
      if (pause > 0) await sleep(this.#options.clock, pause, signal).catch(() => undefined);
    }
  }

  /** Time since the last contact, ms: 0 while in touch, undefined before the first answer. */
  staleness(): number | undefined {
    if (this.#touch.state === 'none') return undefined;
    return this.#touch.state === 'kept' ? 0 : this.#options.clock.now() - this.#touch.since;
  }

  /** One question; returns how long to pause before the next one, ms. */
  async #round(signal: AbortSignal): Promise<number> {
    const { clock, question, ask, room } = this.#options;
    const askedAt = clock.now();
    const waitMs = this.#options.waitMs();
    const timeoutMs = this.#index === 0n ? GRACE_MS : waitMs + waitMs / 16 + GRACE_MS;
    try {
      const place = room === undefined ? {} : { room: room() };
      const answer = await ask({ ...question, ...place, index: this.#index, waitMs, stale: true, timeoutMs }, signal);
      if (signal.aborted) return 0;
      const arrivedAt = clock.now();
      const tookMs = arrivedAt - askedAt - answer.transferMs;
      const taking = this.#options.take(answer, signal);
      const costMs = answer.costMs + clock.now() - arrivedAt;
      const changed = await taking;
      if (signal.aborted) return 0;
      const advanced = answer.index !== undefined && answer.index > this.#index;
      this.#index = nextIndex(this.#index, answer.index);
      this.#failures = 0;
      this.#touch = { state: 'kept' };
      this.#options.onAnswer();
      return this.#pace.after({ changed, advanced, tookMs, waitMs, costMs });
    } catch (thrown) {
      if (signal.aborted) return 0;
      // A connection that was held and broke was good until now; one that stayed silent has told nothing since the
      // question.
      const now = clock.now();
      const silent = now - askedAt >= timeoutMs;
      if (this.#touch.state === 'kept') this.#touch = { state: 'lost', since: silent ? askedAt : now };
      // Only a question without an index is answered at once, which is how the end of the trouble is noticed.
      this.#index = 0n;
      this.#failures++;
      this.#options.onFailure(toPilotlightError(thrown));
      return backoffDelay(this.#failures, BACKOFF, this.#options.random);
    }
  }
}

/** The index to ask with after an answer: 0 when it went back or is missing, else at least 1. */
export function nextIndex(previous: bigint, answered: bigint | undefined): bigint {
  if (answered === undefined || answered < previous) return 0n;
  return answered < 1n ? 1n : answered;
}
