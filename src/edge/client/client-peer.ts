import type { Socket } from 'node:net';
import { hostPort } from '../../util/host-port.ts';
import type { Peer, Scheme, TlsFacts } from '../exchange/downstream.ts';
import { certificateFields } from '../exchange/forwarding.ts';
import type { RequestHead } from '../http1/request.ts';
import { plainAddress, type TrustedProxies } from '../io/client-address.ts';
import { forwardedFor } from '../io/forwarded.ts';
import type { Ends } from '../io/proxy-header.ts';
import type { ClientContext } from './context.ts';
import type { ListenerContext } from './listener-context.ts';
import { readProxyHeader } from './proxy-protocol.ts';

/** Knows the other end of one client connection, and what services are told about it. */
export class ClientPeer implements Peer {
  address = '';
  port: number;
  readonly #socket: Socket;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  readonly #scheme: Scheme;
  #trusted = false;
  /** The list that `#trusted` goes by. */
  #trustedBy: TrustedProxies | undefined;
  #localAddress: string | undefined;
  #forwardedHost: string | undefined;
  #forwardingFields = '';
  /** The beginning of a PROXY header whose end has not come. */
  #header: Buffer | undefined;
  /** What a PROXY header says about how the client came. */
  #proxied: { readonly port: number; readonly tls: boolean | undefined } | undefined;
  tls: TlsFacts | undefined;
  #toldForwarding = false;
  /** It is counted among the connections of its address. */
  #isCounted = false;

  /** @param scheme by which the client came to us */
  constructor(socket: Socket, context: ClientContext, listener: ListenerContext, scheme: Scheme = 'http') {
    this.#socket = socket;
    this.#context = context;
    this.#listener = listener;
    this.#scheme = scheme;
    this.port = socket.remotePort ?? 0;
  }

  /** The handshake with it is over. */
  secured(tls: TlsFacts): void {
    this.tls = tls;
  }

  /** Takes the other end that the socket names. */
  meet(): void {
    this.address = plainAddress(this.#socket.remoteAddress ?? '');
  }

  /**
   * Takes more of a PROXY header, and the other end that it names. The listener decides who is believed.
   * @returns the bytes behind it; `more`: it is not complete
   */
  readProxyHeader(chunk: Buffer): Buffer | 'more' | 'broken' {
    const bytes = this.#header === undefined ? chunk : Buffer.concat([this.#header, chunk]);
    const header = readProxyHeader(bytes);
    this.#header = header.outcome === 'more' ? bytes : undefined;
    if (header.outcome !== 'read') return header.outcome;
    if (header.source === undefined) {
      this.meet();
    } else {
      this.address = plainAddress(header.source);
      this.port = header.sourcePort;
      this.#proxied = header;
    }
    return bytes.subarray(header.length);
  }

  /** Counts it among the connections of its address, unless that is trusted. @returns whether these are too many */
  enter(): boolean {
    if (this.trusted) return false;
    this.#isCounted = true;
    const count = this.#listener.clients.enter(this.address);
    const most = this.#listener.limits.connectionsPerClient;
    return most > 0 && count > most;
  }

  /** The connection is closed. */
  leave(): void {
    if (this.#isCounted) this.#listener.clients.leave(this.address);
  }

  get trusted(): boolean {
    const { trusted } = this.#context;
    if (trusted !== this.#trustedBy) {
      this.#trustedBy = trusted;
      this.#trusted = trusted.has(this.address);
    }
    return this.#trusted;
  }

  /** A client that came to port 443 of another proxy used TLS. */
  get scheme(): Scheme {
    if (this.#proxied === undefined || this.#scheme === 'https') return this.#scheme;
    return (this.#proxied.tls ?? this.#proxied.port === 443) ? 'https' : 'http';
  }

  get listener(): string {
    return this.#listener.name;
  }

  get httpsPort(): number {
    return this.#listener.httpsPort;
  }

  get acmeAnswers(): Readonly<Record<string, string>> | undefined {
    return this.#listener.acmeAnswers;
  }

  get asksClients(): boolean {
    return this.#listener.asksClients;
  }

  isMisdirected(host: string): boolean {
    const { tls } = this.#listener;
    return this.tls !== undefined && tls !== undefined && tls.rulesFor(host) !== this.tls.rules;
  }

  get forwardedPort(): number {
    return this.#proxied?.port || this.#listener.port;
  }

  get ends(): Ends {
    const { localAddress = '', localPort = 0 } = this.#socket;
    const destination = plainAddress(localAddress).replace(/%.*$/, '');
    return { source: this.address, sourcePort: this.port, destination, destinationPort: localPort };
  }

  get localAddress(): string {
    this.#localAddress ??= hostPort({
      host: plainAddress(this.#socket.localAddress ?? ''),
      port: this.#listener.port,
    });
    return this.#localAddress;
  }

  /** Remembers it for the access log, as a closed socket does not know it any more. */
  noteLocalAddress(): void {
    this.#localAddress ??= this.localAddress;
  }

  clientOf({ forwardedFor: list, forwarded }: RequestHead): string {
    if (!this.trusted) return this.address;
    const hops = list ?? (forwarded === undefined ? undefined : forwardedFor(forwarded));
    return this.#context.trusted.client(this.address, hops);
  }

  /** Mostly the same as for the request before. */
  forwardingFields(host: string): string {
    if (host !== this.#forwardedHost) {
      this.#forwardedHost = host;
      this.#forwardingFields =
        `X-Forwarded-For: ${this.address}\r\nX-Real-IP: ${this.address}\r\n` +
        `X-Forwarded-Proto: ${this.scheme}\r\nX-Forwarded-Port: ${this.forwardedPort}\r\nX-Forwarded-Host: ${host}\r\n${certificateFields(this.tls?.client)}`;
    }
    return this.#forwardingFields;
  }

  onUntrustedForwarding(): void {
    if (this.#toldForwarding) return;
    this.#toldForwarding = true;
    this.#context.untrusted.tell(this.address);
  }
}
