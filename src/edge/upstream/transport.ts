import { createSecureContext, type SecureContext } from 'node:tls';
import type { UpstreamPolicy, UpstreamProtocol, UpstreamTls } from '../../model/upstream.ts';
import type { HttpProxyEngine } from './http-proxy-engine.ts';

/**
 * In what way connections to the endpoints of a service are opened, where it is another one than plain sockets with
 * HTTP/1.1. All endpoints of the service share it; after a reload they have another one where anything changed.
 */
export class Transport {
  readonly protocol: UpstreamProtocol;
  readonly proxyProtocol: false | 'v1' | 'v2';
  /** Undefined: in clear text. */
  readonly tls: TlsClient | undefined;
  /** What opens connections instead of us. */
  readonly engine: HttpProxyEngine | undefined;
  readonly #made: string;

  constructor(policy: UpstreamPolicy, engine: HttpProxyEngine | undefined) {
    const { protocol, proxyProtocol, tls } = policy;
    this.protocol = protocol;
    this.proxyProtocol = proxyProtocol;
    this.tls = tls && new TlsClient(tls, protocol);
    this.engine = engine;
    this.#made = JSON.stringify(policy);
  }

  /** Whether a connection may serve one request after the other: a PROXY header names one client for all of it. */
  get keeps(): boolean {
    return this.proxyProtocol === false;
  }

  /** Whether it is what this would make. */
  isMadeOf(policy: UpstreamPolicy, engine: HttpProxyEngine | undefined): boolean {
    return this.engine === engine && this.#made === JSON.stringify(policy);
  }
}

/** Returns the transport of a service, the one before where nothing changed; undefined: plain sockets with HTTP/1.1. */
export function transportOf(
  policy: UpstreamPolicy | undefined,
  engine: HttpProxyEngine | undefined,
  before: Transport | undefined,
): Transport | undefined {
  const { protocol = 'http1', proxyProtocol = false, tls } = policy ?? {};
  if (engine === undefined && protocol === 'http1' && !proxyProtocol && tls === undefined) return undefined;
  const made: UpstreamPolicy = { protocol, proxyProtocol, tls };
  return before?.isMadeOf(made, engine) ? before : new Transport(made, engine);
}

/** What handshakes with the endpoints of a service have in common. */
export class TlsClient {
  readonly context: SecureContext;
  readonly serverName: string | undefined;
  readonly verify: boolean;
  /** What is offered in the handshake (RFC 7301). */
  readonly protocols: readonly string[];

  constructor({ ca, cert, key, serverName, verify }: UpstreamTls, protocol: UpstreamProtocol) {
    this.context = createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      minVersion: 'TLSv1.2',
    });
    this.serverName = serverName;
    this.verify = verify;
    this.protocols = [protocol === 'http2' ? 'h2' : 'http/1.1'];
  }
}
