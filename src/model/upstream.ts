/** How replicas are spoken to, as configured. */
export interface UpstreamSettings {
  protocol: UpstreamProtocol;
  /** Undefined: in clear text. */
  tls: UpstreamTlsSettings | undefined;
  /** Version of the PROXY protocol header that connections begin with; false: none. */
  proxyProtocol: false | 'v1' | 'v2';
}

export type UpstreamProtocol = 'http1' | 'http2';

/** TLS to replicas, as configured. Absolute paths. */
export interface UpstreamTlsSettings {
  /** PEM file of the authorities that are trusted; undefined: those of the system. */
  ca: string | undefined;
  /** Name that is asked for and that certificates have to be for; undefined: the endpoint's own. */
  serverName: string | undefined;
  /** Whether certificates are verified. */
  verify: boolean;
  /** Certificate that we show, and its key where it is in another file; undefined: none. */
  cert: string | undefined;
  key: string | undefined;
}

/** How replicas are spoken to, with what the files hold. Plain data, secret: it goes to the edges and nowhere else. */
export interface UpstreamPolicy {
  protocol: UpstreamProtocol;
  tls?: UpstreamTls | undefined;
  proxyProtocol: false | 'v1' | 'v2';
}

/** What handshakes with replicas need. Certificates and keys are PEM. */
export interface UpstreamTls {
  ca: string | undefined;
  serverName: string | undefined;
  verify: boolean;
  cert: string | undefined;
  key: string | undefined;
}
