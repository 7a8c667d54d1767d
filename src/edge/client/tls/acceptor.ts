import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { TlsMaterial } from '../../../model/certificates.ts';
import { type HandshakeOutcome, outcomeOf } from './outcome.ts';
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

/** Who asks for a proof offers this protocol and no other (RFC 8737 §3). */
const PROOF_PROTOCOL = 'acme-tls/1';
const PROOF_ONLY = Buffer.from(`\0\x0b\x0a${PROOF_PROTOCOL}`, 'latin1');

/** Whether a client wants a proof, by the list of protocols in its ClientHello. */
export function wantsProof(protocols: Buffer | undefined): boolean {
  return protocols?.equals(PROOF_ONLY) === true;
}

const OWNER = Symbol('owner of the handshake');
type Owned = Socket & { [OWNER]?: HandshakeOwner | undefined };

/** Makes handshakes with one state of the certificates and settings; a change of those makes another one. */
export class Acceptor {
  readonly #server: Server;
  readonly #contexts: SecureContexts;
  readonly #material: TlsMaterial;
  /** For those who ask for a proof that a host is ours (RFC 8737); undefined: there is none to show. */
  readonly proofs: Acceptor | undefined;

  /**
   * @param listener see `SecureContexts`
   * @param protocols that are offered (ALPN), the best first
   * @throws what OpenSSL says of the material
   */
  constructor(material: TlsMaterial, listener: string, protocols: readonly string[]) {
    this.#material = material;
    this.proofs = proofsOf(material, listener);
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
      const outcome = outcomeOf(error);
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
    else if (!this.#isKnown(socket)) owner.onFailed('client-certificate');
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

/** @throws what OpenSSL says of the proofs */
function proofsOf({ proofs = [], ticketKeys }: TlsMaterial, listener: string): Acceptor | undefined {
  if (proofs.length === 0) return undefined;
  const material: TlsMaterial = {
    certificates: proofs,
    minVersion: '1.2',
    strictSni: true,
    ciphers: [],
    clientAuth: undefined,
    ticketKeys,
  };
  return new Acceptor(material, `${listener} proofs`, [PROOF_PROTOCOL]);
}

function tcpOf(socket: TLSSocket): Owned | undefined {
  return (socket as unknown as Inner)._parent;
}

/** The name that a client asked for. */
function nameOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as unknown as { servername?: string | false | null };
  return servername || undefined;
}
