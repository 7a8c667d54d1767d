import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { TlsMaterial } from '../../../model/certificates.ts';
import { certificateOutcome, type HandshakeOutcome, outcomeOf } from './outcome.ts';
import { SecureContexts } from './secure-contexts.ts';

/** Bytes that wait for a client before it counts as slow: what Node encrypts it never hands to the kernel at once. */
const HIGH_WATER_MARK = 128 * 1024;
/** Whoever began the handshake ends it, long before. */
const NODE_TIMEOUT_MS = 2 ** 31 - 1;

/** Whoever has a handshake made. */
export interface HandshakeOwner {
  onSecure(socket: TLSSocket): void;
  onFailed(outcome: HandshakeOutcome): void;
}

/** Where Node keeps the TCP socket that a TLS socket is on, which nothing documented tells. */
interface Inner {
  _parent?: Owned | undefined;
}

const OWNER = Symbol('owner of the handshake');
type Owned = Socket & { [OWNER]?: HandshakeOwner | undefined };

/** Makes handshakes with one state of the certificates and settings; a change of those makes another one. */
export class Acceptor {
  readonly #server: Server;
  readonly #contexts: SecureContexts;
  readonly #material: TlsMaterial;
  /** See `RulesName`. */
  readonly rules: string;

  /**
   * @param listener see `SecureContexts`
   * @param protocols that are offered (ALPN), the best first
   * @throws what OpenSSL says of the material
   */
  constructor(material: TlsMaterial, listener: string, protocols: readonly string[], rules: string) {
    this.#material = material;
    this.rules = rules;
    const contexts = new SecureContexts(material, listener);
    this.#contexts = contexts;
    const { clientAuth } = material;
    this.#server = createServer({
      ...contexts.options,
      ALPNProtocols: [...protocols],
      SNICallback: (name, done) => {
        try {
          done(null, contexts.of(name));
        } catch (error) {
          done(error as Error);
        }
      },
      requestCert: clientAuth !== undefined,
      rejectUnauthorized: clientAuth?.mode === 'required',
      handshakeTimeout: NODE_TIMEOUT_MS,
      highWaterMark: HIGH_WATER_MARK,
      allowHalfOpen: true,
    });
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      // A certificate that is not good ends the connection, and nothing but this tells why.
      const outcome = doubtOf(socket) ?? outcomeOf(error);
      const isNameless = outcome === 'cipher' && !contexts.serves(nameOf(socket));
      tcpOf(socket)?.[OWNER]?.onFailed(isNameless ? 'unknown-name' : outcome);
    });
  }

  /** Begins a handshake on a connection, of which what was read already is put back. */
  take(socket: Socket, owner: HandshakeOwner): void {
    (socket as Owned)[OWNER] = owner;
    this.#server.emit('connection', socket);
  }

  #onSecure(socket: TLSSocket): void {
    const tcp = tcpOf(socket);
    const owner = tcp?.[OWNER];
    if (tcp === undefined || owner === undefined) {
      socket.destroy();
      return;
    }
    tcp[OWNER] = undefined;
    socket.resetAndDestroy = resetBelow;
    // A session is resumed before anybody looks at the name.
    if (!this.#contexts.serves(nameOf(socket))) owner.onFailed('unknown-name');
    else if (!this.#isKnown(socket)) owner.onFailed(doubtOf(socket) ?? 'client-certificate');
    else owner.onSecure(socket);
  }

  /** Whether the client is who it says, if it says anything. */
  #isKnown(socket: TLSSocket): boolean {
    if (this.#material.clientAuth === undefined || socket.authorized) return true;
    return this.#material.clientAuth.mode === 'optional' && socket.getPeerX509Certificate() === undefined;
  }
}

/** In the place of `Socket.resetAndDestroy`: Node resets TCP sockets alone. */
function resetBelow(this: TLSSocket): TLSSocket {
  tcpOf(this)?.resetAndDestroy();
  return this;
}

function tcpOf(socket: TLSSocket): Owned | undefined {
  return (socket as unknown as Inner)._parent;
}

/** What is wrong with the certificate that a client showed; undefined: nothing, or it showed none. */
function doubtOf(socket: TLSSocket): HandshakeOutcome | undefined {
  const code = socket.authorizationError as unknown as string | null | undefined;
  return code ? certificateOutcome(code) : undefined;
}

/** The name that a client asked for. */
function nameOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as unknown as { servername?: string | false | null };
  return servername || undefined;
}
