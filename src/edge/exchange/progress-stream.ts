import type { RefusalCode } from '../../model/refusals.ts';
import { type OwnAnswer, ownAnswer, retryAfterSeconds } from '../answer/own-answer.ts';
import { failedPage, isNavigation, PROGRESS_PREFIX, pageFields, samePlace } from '../hold/waiting-page.ts';
import type { Watcher } from '../hold/watcher.ts';
import type { RequestHead } from '../http1/request.ts';
import type { Route } from '../route/route-compiler.ts';
import type { Service } from '../service/service.ts';
import type { Downstream } from './downstream.ts';
import { waitingAnswer } from './wait.ts';

/** Most progress streams per service. Browsers beyond that are told to look again by themselves. */
export const MAX_WATCHERS = 1000;

/** Field lines of a stream's head. */
const FIELDS = 'Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n';

/** One open progress stream (server-sent events). It neither wakes the service nor counts as its activity. */
export class ProgressStream implements Watcher {
  readonly #client: Downstream;
  readonly #service: Service;
  readonly #failures: number;

  /** Opens the stream in answer to the client's request. */
  static open(client: Downstream, service: Service, requestId: string, date: string): ProgressStream {
    client.answer.own(ownAnswer(200, FIELDS, undefined), requestId, date);
    const stream = new ProgressStream(client, service);
    stream.update();
    return stream;
  }

  private constructor(client: Downstream, service: Service) {
    this.#client = client;
    this.#service = service;
    this.#failures = service.state.failures;
    service.watchers.add(this);
  }

  /** The service's state changed: tells the browser, and ends when there is nothing more to wait for. */
  update(): void {
    const service = this.#service;
    if (service.isReady) this.#end('ready');
    else if (service.state.failures > this.#failures || !service.state.starting) this.#end('failed');
    else this.#client.answer.write('event: progress\r\ndata: starting\r\n\r\n');
  }

  /** There is nothing to wait for any more. */
  fail(): void {
    this.#end('failed');
  }

  /** The client left, or the edge closes. */
  close(): void {
    this.#service.watchers.delete(this);
  }

  #end(event: string): void {
    this.close();
    this.#client.answer.write(`event: ${event}\r\ndata: ${event}\r\n\r\n`);
    this.#client.finish();
  }
}

/** Returns the path whose progress a request for {@link PROGRESS_PREFIX} asks for; undefined: it asks for none. */
export function watchedBy({ method, target, pathEnd }: RequestHead): string | undefined {
  if (method !== 'GET') return undefined;
  const path = target.slice(PROGRESS_PREFIX.length, pathEnd);
  return path.startsWith('/') ? path : undefined;
}

/**
 * Decides what answers a request for the progress of a service. If it were passed on, it would wake the service.
 * @param route of the path that waits
 * @param now the clock's ms
 * @returns undefined: there is nothing to wait for
 */
export function progressOf(
  { service, rules }: Route,
  client: Downstream,
  requestId: string,
  now: number,
): 'stream' | RefusalCode | OwnAnswer | undefined {
  const { request, peer } = client;
  if (!service.policy.wakeable) return undefined;
  const isPage = isNavigation(request);
  if (service.isReady && !isPage) return undefined;
  const isFull = !isPage && service.watchers.size >= MAX_WATCHERS;
  const refusal =
    rules?.watchRefusal(peer.clientOf(request), peer.tls?.client?.subject, request.head) ??
    (isFull ? 'HOLD_FULL' : undefined);
  if (refusal !== undefined) return refusal;
  return isPage ? progressPage(service, request.target.slice(PROGRESS_PREFIX.length), requestId, now) : 'stream';
}

/** Tells a browser without JavaScript that waits for `target` how the start goes, or sends it there. */
function progressPage(service: Service, target: string, requestId: string, now: number): OwnAnswer {
  if (service.isReady) return ownAnswer(303, `Location: ${samePlace(target)}\r\n`, '');
  if (service.state.starting) return waitingAnswer(service, target);
  const seconds = retryAfterSeconds(service.blockedUntil - now);
  return ownAnswer(503, pageFields(seconds), failedPage(service.name, target, seconds, requestId));
}
