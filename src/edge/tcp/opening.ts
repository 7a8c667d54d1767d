import type { RefusalCode } from '../../model/refusals.ts';
import type { IdleConnection, IdleList } from '../io/idle-connections.ts';
import { type HelloFault, readClientHello } from './client-hello.ts';
import type { SessionListener, SessionPeer } from './context.ts';
import type { KeptBytes } from './kept-bytes.ts';
import type { SessionFacts } from './session-facts.ts';

/** What is wrong with how a session opens. */
export type OpeningFault = HelloFault | 'no PROXY header';

/** Whom the opening of a session tells what comes of it. */
export interface OpeningOwner {
  readonly facts: SessionFacts;
  /** The client has to send this before anything else. */
  onAwaited(event: 'header-awaited' | 'name-awaited'): void;
  /** It leads to the service of this name. */
  onLed(service: string): void;
  /** It asks for a name that leads nowhere. */
  onUnknownName(): void;
  refuse(code: RefusalCode, fault?: OpeningFault): void;
  /** Ends it at once: another gets its place. */
  giveWay(): void;
}

/**
 * What a session has to learn before it leads anywhere: who its client is, by a PROXY header or by the socket, and which
 * service it is for, by its listener or by a ClientHello. While it waits for its client to say so, it makes room for
 * others.
 */
export class Opening implements IdleConnection {
  previousIdle: IdleConnection | undefined;
  nextIdle: IdleConnection | undefined;
  idleIn: IdleList | undefined;
  readonly silentSince: number;
  readonly #owner: OpeningOwner;
  readonly #peer: SessionPeer;
  readonly #kept: KeptBytes;
  readonly #listener: SessionListener;

  /** @param kept what the client sent behind a PROXY header */
  constructor(owner: OpeningOwner, peer: SessionPeer, kept: KeptBytes, listener: SessionListener) {
    this.#owner = owner;
    this.#peer = peer;
    this.#kept = kept;
    this.#listener = listener;
    this.silentSince = owner.facts.startedAt;
  }

  begin(): void {
    if (this.#listener.proxyProtocol) {
      this.#await('header-awaited');
    } else {
      this.#peer.meet();
      this.#onMet();
    }
  }

  /** Takes bytes of the client, which the next read overwrites. */
  readProxyHeader(bytes: Buffer): void {
    // What is kept of an incomplete header is its own copy.
    const rest = this.#peer.readProxyHeader(Buffer.from(bytes));
    if (rest === 'more') return;
    if (rest === 'broken') {
      this.#owner.refuse('BAD_REQUEST', 'no PROXY header');
      return;
    }
    this.#owner.facts.bytesIn += rest.length;
    if (rest.length > 0) this.#kept.add(rest);
    this.#onMet();
  }

  /** The other end is known: counts the connection among its connections, and looks where it leads. */
  #onMet(): void {
    const { targets } = this.#listener;
    if (this.#peer.enter()) {
      this.#owner.refuse('CONNECTION_LIMIT');
    } else if (targets?.service !== undefined) {
      this.#lead(targets.service);
    } else {
      this.#await('name-awaited');
      this.readName();
    }
  }

  /** Looks for a name in what is kept. */
  readName(): void {
    const hello = readClientHello(this.#kept.bytes);
    if (hello.outcome === 'more') return;
    if (hello.outcome === 'broken') {
      this.#owner.refuse('BAD_REQUEST', hello.fault);
      return;
    }
    this.#owner.facts.serverName = hello.serverName;
    const name = this.#listener.targets?.of(hello.serverName);
    if (name === undefined) this.#owner.onUnknownName();
    else this.#lead(name);
  }

  #await(event: 'header-awaited' | 'name-awaited'): void {
    if (this.idleIn === undefined) this.#listener.idle.open(this);
    this.#owner.onAwaited(event);
  }

  #lead(service: string): void {
    this.leave();
    this.#owner.onLed(service);
  }

  /** It is over, one way or another. */
  leave(): void {
    this.#listener.idle.leave(this);
  }

  giveWay(): void {
    this.#owner.giveWay();
  }
}
