import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { DeadlineEntry } from '../../io/deadlines.ts';
import type { IdleConnection, IdleList } from '../../io/idle-connections.ts';
import { disown, own, ownerOf, type SocketOwner } from '../../io/socket-owner.ts';
import { readClientHello } from '../../tcp/client-hello.ts';
import { ClientPeer } from '../client-peer.ts';
import type { ClientContext } from '../context.ts';
import type { ClientConnection, ListenerContext } from '../listener-context.ts';
import { serve } from '../serve.ts';
import type { Acceptor, HandshakeOwner } from './acceptor.ts';
import { type Acceptors, wantsProof } from './acceptors.ts';
import { factsOf } from './client-subject.ts';
import type { HandshakeOutcome } from './outcome.ts';
import { answerPlain } from './plain-answer.ts';

/** First byte of a record that carries a handshake (RFC 8446 §5.1). */
const HANDSHAKE = 0x16;

/**
 * `proxy-header`: that has to come first. `first-byte`: nothing came of the handshake yet. `hello`: the rest of the
 * ClientHello has to tell who asks, and for which name. `handshake`: Node makes it. `proof`: it does, with one who is to be
 * shown a proof. `over`: the connection is secure, or closed.
 */
type Phase = 'proxy-header' | 'first-byte' | 'hello' | 'handshake' | 'proof' | 'over';

/** One connection from its accept until its handshake is over. It counts as one of its listener's connections. */
export class Handshake implements ClientConnection, DeadlineEntry, IdleConnection, HandshakeOwner, SocketOwner {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  place = 0;
  previousIdle: IdleConnection | undefined;
  nextIdle: IdleConnection | undefined;
  idleIn: IdleList | undefined;
  silentSince = 0;
  readonly #socket: Socket;
  readonly #acceptors: Acceptors;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  readonly #peer: ClientPeer;
  #phase: Phase = 'first-byte';
  /** What came of the ClientHello, where it is awaited. */
  #hello: Buffer | undefined;
  /** See `RulesName`. */
  #rules = '';

  /** @param underWay the handshakes of its listener, the oldest first */
  constructor(
    socket: Socket,
    acceptors: Acceptors,
    underWay: IdleList,
    context: ClientContext,
    listener: ListenerContext,
  ) {
    this.#socket = socket;
    this.#acceptors = acceptors;
    this.#context = context;
    this.#listener = listener;
    this.#peer = new ClientPeer(socket, context, listener, 'https');
    // A flight of the handshake may take two writes.
    socket.setNoDelay(true);
    own(socket, this);
    socket.on('data', onData);
    listener.connections.add(this);
    listener.open++;
    underWay.push(this);
    context.deadlines.arm(this, listener.timeouts.handshakeMs);
    if (listener.proxyProtocol) {
      this.#phase = 'proxy-header';
    } else {
      this.#peer.meet();
      this.#enter();
    }
  }

  /** The other end is known: counts the connection among its connections. */
  #enter(): void {
    if (this.#peer.enter()) this.#end('too-many');
  }

  read(chunk: Buffer): void {
    if (this.#phase === 'proxy-header') {
      const rest = this.#peer.readProxyHeader(chunk);
      if (rest === 'broken') this.#end('broken');
      if (typeof rest === 'string') return;
      this.#phase = 'first-byte';
      this.#enter();
      if (rest.length > 0) this.#begin(rest);
    } else if (this.#phase === 'hello') {
      this.#chooseBy(Buffer.concat([this.#hello as Buffer, chunk]));
    } else {
      this.#begin(chunk);
    }
  }

  /** The first bytes tell whether it is TLS. */
  #begin(bytes: Buffer): void {
    if (this.#phase !== 'first-byte') return;
    if (bytes[0] !== HANDSHAKE) this.#endInClearText(bytes);
    else if (this.#acceptors.areByHello) this.#chooseBy(bytes);
    else this.#shake(this.#acceptors.of(undefined), bytes, 'handshake');
  }

  /** The ClientHello tells by which rules the handshake is made, and whether its client wants a proof. */
  #chooseBy(bytes: Buffer): void {
    const hello = readClientHello(bytes);
    if (hello.outcome === 'more') {
      this.#phase = 'hello';
      this.#hello = bytes;
      return;
    }
    this.#hello = undefined;
    if (hello.outcome === 'broken') {
      this.#end('broken');
      return;
    }
    const { proofs } = this.#acceptors;
    if (proofs !== undefined && wantsProof(hello.protocols)) this.#shake(proofs, bytes, 'proof');
    else this.#shake(this.#acceptors.of(hello.serverName), bytes, 'handshake');
  }

  #shake(acceptor: Acceptor, bytes: Buffer, phase: Phase): void {
    this.#phase = phase;
    this.#rules = acceptor.rules;
    this.#stopReading();
    this.#socket.unshift(bytes);
    acceptor.take(this.#socket, this);
  }

  /** Node reads from here on, or nobody does. */
  #stopReading(): void {
    this.#socket.pause();
    this.#socket.off('data', onData);
  }

  #endInClearText(bytes: Buffer): void {
    this.#stopReading();
    const isHttp = answerPlain(this.#socket, bytes, this.#peer, this.#context, this.#listener);
    this.#leave(isHttp ? 'http' : 'not-tls');
    this.#peer.leave();
    if (!isHttp) this.#socket.destroy();
  }

  onSecure(socket: TLSSocket): void {
    if (this.#phase === 'proof') {
      // It has seen what it wanted.
      this.#leave('proof');
      this.#peer.leave();
      socket.on('error', ignore);
      socket.destroySoon();
      return;
    }
    if (this.#phase !== 'handshake') return;
    const certificate = this.#listener.asksClients ? socket.getPeerX509Certificate() : undefined;
    const client = certificate && factsOf(certificate);
    if (certificate !== undefined && client === undefined) {
      this.onFailed('client-certificate');
      return;
    }
    this.#leave(socket.isSessionReused() ? 'resumed' : 'full');
    const { standardName: cipher } = socket.getCipher();
    this.#peer.secured({ version: socket.getProtocol() ?? '', cipher, client, rules: this.#rules });
    const protocol = socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1';
    serve(socket, protocol, this.#context, this.#listener, this.#peer);
  }

  onFailed(outcome: HandshakeOutcome): void {
    this.#end(outcome);
  }

  // ── end ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  onEnd(): void {
    if (this.#phase !== 'handshake') this.#end('left');
  }

  onClosed(): void {
    // Node may have closed it, and says why a moment later.
    if (this.#phase === 'handshake') setImmediate(endAsLeft, this);
    else this.#end('left');
  }

  /** It is closed, and nobody said why. */
  onLeft(): void {
    this.#end('left');
  }

  onDeadline(): void {
    this.#end('timeout');
  }

  giveWay(): void {
    this.#end('crowded-out');
  }

  /** Nothing was asked yet; where another process takes over, a request is about to come. */
  drain(handingOver: boolean): void {
    if (!handingOver) this.#end('left');
  }

  abort(): void {
    this.#end('left');
  }

  /** It came to nothing. */
  #end(outcome: HandshakeOutcome | 'too-many'): void {
    if (this.#phase === 'over') return;
    this.#leave(outcome);
    this.#peer.leave();
    this.#socket.destroy();
  }

  /** Is no handshake any more. */
  #leave(outcome: HandshakeOutcome | 'too-many'): void {
    this.#phase = 'over';
    const { handshakes, deadlines } = this.#context;
    if (outcome !== 'too-many') handshakes.set(outcome, (handshakes.get(outcome) ?? 0) + 1);
    this.idleIn?.remove(this);
    this.#listener.connections.delete(this);
    this.#listener.open--;
    deadlines.forget(this);
    disown(this.#socket);
  }
}

function endAsLeft(handshake: Handshake): void {
  handshake.onLeft();
}

function onData(this: Socket, chunk: Buffer): void {
  const owner = ownerOf(this);
  if (owner instanceof Handshake) owner.read(chunk);
}

function ignore(): void {}
