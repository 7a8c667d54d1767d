import type Docker from 'dockerode';
import { PilotlightError } from '../../model/errors.ts';
import type { Clock } from '../../util/clock.ts';
import { DockerEngine } from '../engine.ts';
import { toSwarmError } from './errors.ts';
import type { SwarmSettings } from './settings.ts';

/** Where there are several managers, one has this long to answer before the next one is asked, ms. */
const PATIENCE_MS = 3000;

/** What a call is made with; it has to pass the signal on. */
type Request<T> = (docker: Docker, abortSignal: AbortSignal) => Promise<T>;

/** The managers of one swarm, of which any will do: the one that answered last is asked, and another where it does not. */
export class Managers {
  readonly #engines: readonly DockerEngine[];
  #current = 0;

  private constructor(engines: readonly DockerEngine[]) {
    this.#engines = engines;
  }

  /** Loads the client library. @throws CONFIG_INVALID */
  static async load({ socket, tls }: SwarmSettings, clock: Clock): Promise<Managers> {
    const sockets = typeof socket === 'string' ? [socket] : socket;
    return new Managers(await Promise.all(sockets.map((each) => DockerEngine.load(each, clock, tls))));
  }

  /** The one that is asked first, for messages. */
  get place(): string {
    return this.#engine.place;
  }

  /**
   * Makes a call that does no harm where it is made twice.
   * @param limitMs how long it may take; shorter where there are several managers
   * @throws what the first one said, where none does it
   */
  async call<T>(limitMs: number, signal: AbortSignal, request: Request<T>): Promise<T> {
    const first = this.#current;
    const count = this.#engines.length;
    const limit = count > 1 ? Math.min(limitMs, PATIENCE_MS) : limitMs;
    let refusal: unknown;
    for (let step = 0; step < count; step++) {
      const engine = this.#engines[(first + step) % count] as DockerEngine;
      try {
        const answer = await ask(engine, limit, signal, request);
        this.#current = (first + step) % count;
        return answer;
      } catch (thrown) {
        if (signal.aborted || !isWorthAnother(thrown)) throw thrown;
        refusal ??= thrown;
      }
    }
    throw refusal;
  }

  /** Makes a call at one of them alone. */
  once<T>(limitMs: number, signal: AbortSignal, request: Request<T>): Promise<T> {
    return ask(this.#engine, limitMs, signal, request);
  }

  get #engine(): DockerEngine {
    return this.#engines[this.#current] as DockerEngine;
  }
}

async function ask<T>(engine: DockerEngine, limitMs: number, signal: AbortSignal, request: Request<T>): Promise<T> {
  try {
    return await engine.call(limitMs, signal, request);
  } catch (thrown) {
    throw thrown instanceof PilotlightError ? toSwarmError(thrown, engine.place) : thrown;
  }
}

/** Whether another manager may do what this one did not. */
function isWorthAnother(thrown: unknown): boolean {
  return (
    thrown instanceof PilotlightError && (thrown.code === 'RUNTIME_UNREACHABLE' || thrown.code === 'NOT_A_MANAGER')
  );
}
