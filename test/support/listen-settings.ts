import type { EdgeListener, TlsMaterial } from '../../src/model/certificates.ts';
import type { ListenLimits, ListenSettings, TcpSettings } from '../../src/model/settings.ts';

/** Limits of a listener as the defaults make them. */
const listenLimits: ListenLimits = {
  head: 32 * 1024,
  fields: 100,
  target: 8 * 1024,
  chunkExtensions: 16 * 1024,
  trailers: 16 * 1024,
  requests: 0,
  connections: 10_000,
  connectionsPerClient: 0,
  handshakes: 1000,
  http2: { streams: 100, oddities: 1000 },
};

const listenTimeouts: ListenSettings['timeouts'] = {
  handshakeMs: 10_000,
  headMs: 10_000,
  bodyMs: 30_000,
  keepAliveMs: 75_000,
  sendMs: 60_000,
};

/** What a test changes of a listener. */
export interface ListenChange {
  timeouts?: Partial<ListenSettings['timeouts']>;
  limits?: Partial<ListenLimits>;
  proxyProtocol?: boolean;
  http2?: boolean;
  tcp?: TcpSettings;
  name?: string;
  redirectToHttps?: boolean;
  tls?: TlsMaterial;
  acmeAnswers?: Record<string, string>;
}

/** A listener with the defaults and these changes, on a free port of the loopback unless told. */
export function listenSettings(change: ListenChange = {}, address = { host: '127.0.0.1', port: 0 }): EdgeListener {
  const { timeouts, limits, ...rest } = change;
  return {
    proxyProtocol: false,
    http2: undefined,
    tcp: undefined,
    ...rest,
    address,
    timeouts: { ...listenTimeouts, ...timeouts },
    limits: { ...listenLimits, ...limits },
  };
}
