import { createHash } from 'node:crypto';
import type { ClientConnection } from './client-connection.ts';
import { escapeHtml } from './responses.ts';
import type { Service } from './service.ts';

/** Where a waiting page asks for progress: this prefix and the path that it waits for. */
export const PROGRESS_PREFIX = '/.well-known/pilotlight/wait';

/** Most progress streams per service: more are told to come back by themselves. */
export const MAX_WATCHERS = 1000;

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;min-height:90vh;margin:0;color:#223;' +
  'background:#f6f7f9}main{text-align:center}@media(prefers-color-scheme:dark){body{color:#dde;background:#16181d}}' +
  'progress{width:16em}';

// The stream answers only while the service is not ready; any error of it means: look again.
const SCRIPT =
  "(()=>{const again=()=>location.reload();const source=new EventSource('/.well-known/pilotlight/wait'+location.pathname);" +
  "source.addEventListener('ready',()=>{source.close();again()});" +
  "source.addEventListener('failed',()=>{source.close();setTimeout(again,3000)});" +
  'source.onerror=()=>{source.close();setTimeout(again,500)}})()';

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const POLICY =
  `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; connect-src 'self'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/** Fields of the waiting page's answer. */
export function waitingPageFields(retryAfterSeconds: number): string {
  return (
    'Content-Type: text/html; charset=utf-8\r\n' +
    `Retry-After: ${retryAfterSeconds}\r\nContent-Security-Policy: ${POLICY}\r\n` +
    'X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nX-Robots-Tag: noindex\r\n'
  );
}

/**
 * The page that a browser shows while a service starts. It reloads when told that the service is ready, and without
 * JavaScript every few seconds; it loads nothing from elsewhere.
 */
export function waitingPage(service: string, retryAfterSeconds: number): string {
  const name = escapeHtml(service);
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1">' +
    `<noscript><meta http-equiv="refresh" content="${retryAfterSeconds}"></noscript>` +
    `<title>Starting ${name}</title><style>${STYLE}</style></head><body><main><h1>Starting ${name}</h1>` +
    '<p>This page goes on by itself as soon as the service answers.</p><progress></progress></main>' +
    `<script>${SCRIPT}</script></body></html>\n`
  );
}

/** One open progress stream (server-sent events). It neither wakes the service nor counts as its activity. */
export class ProgressStream {
  readonly #client: ClientConnection;
  readonly #service: Service;
  readonly #failures: number;

  constructor(client: ClientConnection, service: Service) {
    this.#client = client;
    this.#service = service;
    this.#failures = service.state.failures;
    service.watchers.add(this);
  }

  /** Field lines that open the stream. */
  static readonly fields =
    'Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\nConnection: close\r\n';

  /** The service's state changed: says so, and ends when there is nothing more to wait for. */
  update(): void {
    const service = this.#service;
    if (service.isReady) this.#end('ready');
    else if (service.state.failures > this.#failures || service.blockedUntil !== 0) this.#end('failed');
    else this.#client.write('event: progress\r\ndata: starting\r\n\r\n');
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
    this.#client.write(`event: ${event}\r\ndata: ${event}\r\n\r\n`);
    this.#client.finish(false);
  }
}
