import type { TrustedProxies } from '../io/client-address.ts';
import type { TcpContext } from '../tcp/context.ts';
import type { ByteWatch } from './http2/byte-account.ts';
import type { UntrustedForwarding } from './untrusted-forwarding.ts';

/** What listeners and client connections need of the edge. */
export interface ClientContext extends TcpContext {
  /** Of the last table. */
  trusted: TrustedProxies;
  readonly untrusted: UntrustedForwarding;
  /** TLS handshakes that ended since the last report, by outcome. */
  readonly handshakes: Map<string, number>;
  /** Connections of HTTP/2 that were ended for what their clients did, since the last report, by what that was. */
  readonly http2Cut: Map<string, number>;
  /** The bytes of all connections of HTTP/2. */
  readonly byteWatch: ByteWatch;
  /** Client connections that there are file descriptors for, with one to a service for each. */
  readonly room: number;
  /** Connections beyond the limit that there are file descriptors for, to tell them. */
  readonly overLimit: number;
}
