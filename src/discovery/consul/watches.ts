import type { ConsulFollower, FollowerOptions } from './follower.ts';
import { ConsulLoop } from './loop.ts';
import { type ConsulTarget, questionOf, titleOf } from './target.ts';

interface Watch {
  loop: ConsulLoop;
  abort: AbortController;
}

/** One blocking query for each. */
export class ConsulWatches implements ConsulFollower {
  readonly #options: FollowerOptions;
  readonly #watches = new Map<string, Watch>();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  follow(targets: ReadonlyMap<string, ConsulTarget>): void {
    for (const key of this.#watches.keys()) if (!targets.has(key)) this.#end(key);
    for (const [key, target] of targets) if (!this.#watches.has(key)) this.#begin(key, target);
  }

  staleness(key: string): number | undefined {
    return this.#watches.get(key)?.loop.staleness();
  }

  stop(): void {
    this.follow(new Map());
  }

  #begin(key: string, target: ConsulTarget): void {
    const { ask, clock, random, contact, knowledge, onNews, longWaitMs } = this.#options;
    const who = titleOf(target);
    const loop = new ConsulLoop({
      question: questionOf(target),
      ask,
      clock,
      random,
      waitMs: () => knowledge(key)?.lookAgainIn ?? longWaitMs(target),
      take: async (answer, signal) => {
        const known = knowledge(key);
        const news = (await known?.take(answer, signal)) === true;
        if (signal.aborted || known === undefined) return false;
        if (news) onNews(key);
        contact.sees(key, known.denial?.message, who);
        return news;
      },
      onAnswer: () => contact.answered(key),
      onFailure: (error) => {
        knowledge(key)?.interrupt();
        contact.failed(key, error, who);
      },
    });
    const abort = new AbortController();
    this.#watches.set(key, { loop, abort });
    void loop.run(abort.signal);
  }

  #end(key: string): void {
    const watch = this.#watches.get(key);
    if (watch === undefined) return;
    watch.abort.abort();
    this.#watches.delete(key);
    this.#options.contact.forget(key);
  }
}
