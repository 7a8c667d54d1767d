import { join } from 'node:path';
import { runH2load } from './h2load.ts';
import type { Subject } from './proxies/subject.ts';
import { runResumed } from './resumed-load.ts';
import { CONNECTIONS, urlOf, type Workload, wrkWorkload } from './workload.ts';

/** Those whom others than HTTP/1.1 in clear text are compared with. */
const BESIDE = ['pilotlight', 'haproxy', 'nginx'];
/** Requests per second that are taken for what a proxy answers until the first round has told. */
const FIRST_RATE = 10_000;
const CLOSE = { headers: { Connection: 'close' } };
const TLS = { speech: 'tls', proxies: BESIDE } as const;
const TCP = { speech: 'tcp', proxies: BESIDE } as const;

/**
 * TLS 1.3, HTTP/2 and TCP. The same certificate (ECDSA P-256), suite and group everywhere, and session tickets on; TCP
 * carries the HTTP of load and upstream, which no proxy looks at.
 */
export const PROTOCOL_WORKLOADS: Record<string, Workload> = {
  'tls-get': wrkWorkload('TLS 1.3, small keep-alive GET, 64 connections', TLS),
  'tls-full': wrkWorkload('TLS 1.3, a full handshake and a GET per connection, 64 at once', { ...TLS, request: CLOSE }),
  'tls-resumed': {
    title: 'TLS 1.3, a resumed session and a GET per connection, 64 at once (the load sets the pace)',
    upstream: 'http',
    ...TLS,
    prepare: async () => (subject, seconds) => runResumed(subject.port, { connections: CONNECTIONS, seconds }),
  },
  'http2-one': http2Workload(1, 100),
  'http2-many': http2Workload(64, 8),
  'tcp-large': wrkWorkload('TCP, 1 MiB per message, 64 connections', { ...TCP, path: '/large' }),
  'tcp-messages': wrkWorkload('TCP, small messages (some 40 bytes to the service, 240 back), 64 connections', TCP),
  'tcp-sessions': wrkWorkload('TCP, a session per small message, 64 at once', { ...TCP, request: CLOSE }),
};

/** As many requests as fill the time at the rate of the round before. */
function http2Workload(connections: number, streams: number): Workload {
  return {
    title: `HTTP/2 over TLS, small GET, ${connections} connection(s) of ${streams} streams`,
    upstream: 'http',
    ...TLS,
    prepare: async ({ folder }) => {
      const log = join(folder, 'h2load.log');
      const rates = new Map<Subject['port'], number>();
      return async (subject, seconds) => {
        const requests = Math.round(seconds * (rates.get(subject.port) ?? FIRST_RATE));
        const sample = await runH2load(urlOf(subject, '/', 'https'), { connections, streams, requests, log });
        rates.set(subject.port, sample.requests / sample.seconds);
        return sample;
      };
    },
  };
}
