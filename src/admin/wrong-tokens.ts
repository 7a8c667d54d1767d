import NodeCache from 'node-cache';
import type { Logger } from '../model/observe.ts';

/** An address is logged at most once in this time, seconds. */
const QUIET_S = 60;
/** Most addresses remembered; more are not logged until one is forgotten. */
const MAX_ADDRESSES = 1000;

/** Tells the log who offers wrong tokens, without letting them fill it: once a minute for each address. */
export class WrongTokens {
  readonly #logger: Logger;
  readonly #told = new NodeCache({ stdTTL: QUIET_S, maxKeys: MAX_ADDRESSES, useClones: false });

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A request from `address` bore a token that is not the configured one. The token itself is told to nobody. */
  note(address: string): void {
    if (this.#told.has(address) || this.#told.getStats().keys >= MAX_ADDRESSES) return;
    this.#told.set(address, true);
    this.#logger.warn({ address }, `a wrong admin token came from ${address}`);
  }

  close(): void {
    this.#told.close();
  }
}
