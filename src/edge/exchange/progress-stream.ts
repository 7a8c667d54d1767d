import type { Watcher } from '../hold/watcher.ts';
import type { Service } from '../service/service.ts';
import type { Downstream } from './downstream.ts';

/** Most progress streams per service: more are told to come back by themselves. */
export const MAX_WATCHERS = 1000;

/** One open progress stream (server-sent events). It neither wakes the service nor counts as its activity. */
export class ProgressStream implements Watcher {
  readonly #client: Downstream;
  readonly #service: Service;
  readonly #failures: number;

  constructor(client: Downstream, service: Service) {
    this.#client = client;
    this.#service = service;
    this.#failures = service.state.failures;
    service.watchers.add(this);
  }

  /** Field lines of its head. */
  static readonly fields = 'Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n';

  /** The service's state changed: says so, and ends when there is nothing more to wait for. */
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
