import type { ServicePolicy } from '../../model/snapshot.ts';
import type { RequestHead } from '../http1/request.ts';
import type { Service } from '../service/service.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const IDEMPOTENT_METHODS = new Set(['PUT', 'DELETE']);

/** The request that may be sent again. */
interface Retried {
  readonly client: { readonly request: RequestHead };
  /** `isWhole`: all of its body so far could be sent again. */
  readonly body: { readonly isWhole: boolean };
}

/**
 * The attempts at one request: whether another one follows a failed one. Anything of which nothing was written may be
 * sent again; else the caller says whether it may.
 */
export class Retries {
  /** Bytes of the request went to an upstream in this attempt. */
  written = false;
  /** The connection had served others before: its upstream may have closed it at the same moment. */
  reused = false;
  /** Additional ones, counted by `retries.max`. */
  #counted = 0;
  /** Additional ones after the race on a reused connection that the upstream just closed: outside of `max` and the budget. */
  #races = 0;
  /** It left an endpoint that turned out to be dead before anything was written: one more outside of both. */
  #moved = false;
  /** It was refused by the last endpoint that there was, and waited for another: one more outside of both. */
  #bereft = false;

  /** Begins with a new request. */
  begin(): void {
    this.written = false;
    this.reused = false;
    this.#counted = 0;
    this.#races = 0;
    this.#moved = false;
    this.#bereft = false;
  }

  get additional(): number {
    return this.#counted + this.#races + (this.#moved ? 1 : 0) + (this.#bereft ? 1 : 0);
  }

  /** Where one kept connection was closed all may be: after a race it is a new one. */
  get mayReuse(): boolean {
    return this.#races === 0;
  }

  /** Whether it may leave an endpoint to which it is still being connected; it counts then. Once: a journey has an end. */
  move(service: Service): boolean {
    if (this.written || this.#moved) return false;
    this.#moved = true;
    service.statistics.retries++;
    return true;
  }

  /**
   * Whether another attempt follows; it counts then.
   * @param refused the endpoint refused the connection
   * @param now the clock's ms
   */
  next(service: Service, { client, body }: Retried, refused: boolean, now: number): 'race' | 'retry' | 'none' {
    if (this.written && !(body.isWhole && mayReplay(client.request, service.policy))) return 'none';
    if (this.written && this.reused) {
      this.#races++;
      return 'race';
    }
    // To be refused by the last there was is to find the service asleep, whatever was tried before.
    if (refused && !this.#bereft && service.isBereft) {
      this.#bereft = true;
    } else {
      const { max, budget } = service.policy.retries;
      if (this.#counted >= max || !service.retryBudget.take(now, budget)) return 'none';
      this.#counted++;
    }
    service.statistics.retries++;
    return 'retry';
  }
}

/**
 * Whether a request may be sent a second time after bytes of it went upstream (RFC 9110 §9.2.2): its method is safe, or
 * the service says that its idempotent methods, and keys of idempotency, are what they say.
 */
export function mayReplay({ method, head }: RequestHead, { retries }: ServicePolicy): boolean {
  if (SAFE_METHODS.has(method)) return true;
  if (!retries.idempotent) return false;
  return IDEMPOTENT_METHODS.has(method) || head.get('idempotency-key') !== undefined;
}
