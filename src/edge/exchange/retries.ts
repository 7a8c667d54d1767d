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
 * Counts the attempts at one request, and decides whether another one follows a failed one. A request of which nothing
 * was written may be sent again; otherwise its method has to allow it.
 */
export class Retries {
  /** Bytes of the request went to an upstream in this attempt. */
  written = false;
  /** The connection had served other requests, so its upstream may have closed it at the same moment. */
  reused = false;
  /** The endpoint said that it has done nothing about the request, which may go elsewhere whatever it asks for. */
  returned = false;
  /** Additional attempts that `retries.max` counts. */
  #counted = 0;
  /** Additional attempts after the upstream had just closed a reused connection: outside of `max` and the budget. */
  #races = 0;
  /** The request left a dead endpoint before anything was written: one more outside of both. */
  #moved = false;
  /** The last endpoint refused the request, which then waited for another: one more outside of both. */
  #bereft = false;

  /** Begins with a new request. */
  begin(): void {
    this.written = false;
    this.reused = false;
    this.returned = false;
    this.#counted = 0;
    this.#races = 0;
    this.#moved = false;
    this.#bereft = false;
  }

  get additional(): number {
    return this.#counted + this.#races + (this.#moved ? 1 : 0) + (this.#bereft ? 1 : 0);
  }

  /** Where one kept connection was closed, all may be. So a new one is opened after such a race. */
  get mayReuse(): boolean {
    return this.#races === 0;
  }

  /**
   * Decides whether the request may leave an endpoint to which it is still being connected, and counts it. Only once.
   */
  move(service: Service): boolean {
    if (this.written || this.#moved) return false;
    this.#moved = true;
    service.statistics.retries++;
    return true;
  }

  /**
   * Decides whether another attempt follows, and counts it.
   * @param request undefined: nothing is ever written before an attempt has succeeded
   * @param refused the endpoint refused the connection
   * @param now the clock's ms
   */
  next(service: Service, request: Retried | undefined, refused: boolean, now: number): 'race' | 'retry' | 'none' {
    const { returned } = this;
    this.returned = false;
    if (this.written && !(returned ? request?.body.isWhole : isReplayable(request, service.policy))) return 'none';
    if (this.written && this.reused) {
      this.#races++;
      return 'race';
    }
    // To be refused by the last endpoint is to find the service asleep, whatever was tried before.
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

function isReplayable(request: Retried | undefined, policy: ServicePolicy): boolean {
  return request?.body.isWhole === true && mayReplay(request.client.request, policy);
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
