import { epochNow, freshId, pause } from '../../test/support/raw-client.ts';
import { type ErrandName, errands, KeptConnection } from './errands.ts';
import type { Ledger } from './ledger.ts';
import { Random } from './random.ts';

/** What some users do, and where. */
export interface Habit {
  users: number;
  /** Names of the services that they visit, each at `NAME.test`. */
  services: readonly string[];
  /** How often they do what. */
  weights: Partial<Record<ErrandName, number>>;
  /** Pause after each errand, ms, at least and at most. */
  pauseMs: readonly [number, number];
}

interface CrowdOptions {
  port: number;
  seed: number;
  ledger: Ledger;
}

/** Without an answer for so long a request counts as unanswered, ms. The proxy gives up on any of them sooner. */
const PATIENCE_MS = 120_000;

/** Users who run errands, one after the other each, until the crowd is sent home. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #ended: Promise<unknown>;
  #home = false;

  constructor(habits: readonly Habit[], options: CrowdOptions) {
    this.#options = options;
    const users = habits.flatMap((habit) => Array.from({ length: habit.users }, () => habit));
    this.#ended = Promise.all(users.map((habit, index) => this.#live(habit, new Random(options.seed + 1000 * index))));
  }

  /** Begins nothing more and waits for what is under way. */
  async sendHome(): Promise<void> {
    this.#home = true;
    await this.#ended;
  }

  async #live(habit: Habit, random: Random): Promise<void> {
    const kept = new KeptConnection();
    while (!this.#home) {
      await this.#run(habit, random, kept);
      await pause(random.between(...habit.pauseMs));
    }
    kept.close();
  }

  async #run({ weights, services }: Habit, random: Random, kept: KeptConnection): Promise<void> {
    const { port, ledger } = this.#options;
    const kind = random.weighted(weights as Record<ErrandName, number>);
    const service = random.pick(services) ?? '';
    const id = freshId();
    const sentAt = epochNow();
    ledger.sent(kind);
    try {
      const errand = errands[kind]({ port, host: `${service}.test`, id, random, kept });
      ledger.ended(kind, await withinPatience(errand));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      ledger.failed({ id, kind, service, reason, sentAt, endedAt: epochNow() });
    }
  }
}

async function withinPatience<T>(errand: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(UNANSWERED)), PATIENCE_MS);
  });
  return Promise.race([errand, late]).finally(() => clearTimeout(timer));
}

/** The reason of failures where nothing came at all. */
const UNANSWERED = `no answer within ${PATIENCE_MS / 1000} s`;
