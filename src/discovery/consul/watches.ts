import type { ConsulFollower, FollowerOptions } from './follower.ts';
import { servicePath } from './follower.ts';
import { ConsulLoop, LONG_WAIT_MS } from './loop.ts';

interface Watch {
  loop: ConsulLoop;
  abort: AbortController;
}

/** One blocking query per service. */
export class ConsulWatches implements ConsulFollower {
  readonly #options: FollowerOptions;
  readonly #watches = new Map<string, Watch>();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  follow(services: ReadonlySet<string>): void {
    for (const service of this.#watches.keys()) if (!services.has(service)) this.#end(service);
    for (const service of services) if (!this.#watches.has(service)) this.#begin(service);
  }

  staleness(service: string): number | undefined {
    return this.#watches.get(service)?.loop.staleness();
  }

  stop(): void {
    this.follow(new Set());
  }

  #begin(service: string): void {
    const { ask, clock, random, contact, knowledge, onNews } = this.#options;
    const who = `service ${service}`;
    const loop = new ConsulLoop({
      path: servicePath(service),
      ask,
      clock,
      random,
      waitMs: () => knowledge(service)?.lookAgainIn ?? LONG_WAIT_MS,
      take: async (answer, signal) => {
        const known = knowledge(service);
        const news = (await known?.take(answer, signal)) === true;
        if (signal.aborted || known === undefined) return false;
        if (news) onNews(service);
        contact.sees(who, known.denial?.message);
        return news;
      },
      onAnswer: () => contact.answered(who),
      onFailure: (error) => {
        knowledge(service)?.interrupt();
        contact.failed(who, error);
      },
    });
    const abort = new AbortController();
    this.#watches.set(service, { loop, abort });
    void loop.run(abort.signal);
  }

  #end(service: string): void {
    this.#watches.get(service)?.abort.abort();
    this.#watches.delete(service);
    this.#options.contact.forget(`service ${service}`);
  }
}
