import type { Duplex } from 'node:stream';
import { unreadable } from './shared-read.ts';

/** Whom a socket tells what happens to it, until it is closed. */
export interface SocketOwner {
  /** Only its first owner is told. */
  onConnect?(): void;
  /** It takes more again. */
  onDrain?(): void;
  /** The other side has sent its FIN. */
  onEnd(): void;
  /** All is sent, our FIN included. */
  onFinish?(): void;
  /** It closes next. */
  onError?(error: NodeJS.ErrnoException): void;
  onClosed(): void;
}

const OWNER = Symbol('owner');
type Owned = Duplex & { [OWNER]?: SocketOwner | undefined };

/**
 * Has a socket tell its owner what happens to it, and nobody any more once it is closed. A closed socket must not know
 * its owner: Node gives each stream a function that V8 puts into old memory, as it does with all that are assigned to
 * a property where they are written (`this.onwrite = () => …`), and which knows the stream. So a stream and all that it
 * leads to outlive the collections of young memory until the next full one. With a connection for each request that
 * was 4.8 KB of each, half of all, and such a collection took 20–90 ms.
 */
export function own(socket: Duplex, owner: SocketOwner): void {
  const isKnown = OWNER in socket;
  (socket as Owned)[OWNER] = owner;
  if (isKnown) return;
  if (owner.onConnect !== undefined) socket.on('connect', onConnect);
  socket.on('drain', onDrain);
  socket.on('end', onEnd);
  socket.on('finish', onFinish);
  socket.on('error', onError);
  socket.on('close', onClose);
}

/** Whom it tells. */
export function ownerOf(socket: Duplex): SocketOwner | undefined {
  return (socket as Owned)[OWNER];
}

/** Has it tell nobody any more: it is closed, or another gets it. */
export function disown(socket: Duplex): void {
  (socket as Owned)[OWNER] = undefined;
  unreadable(socket);
}

// Listeners that all sockets share, instead of a closure each.

function onConnect(this: Owned): void {
  this[OWNER]?.onConnect?.();
}

function onDrain(this: Owned): void {
  this[OWNER]?.onDrain?.();
}

function onEnd(this: Owned): void {
  this[OWNER]?.onEnd();
}

function onFinish(this: Owned): void {
  this[OWNER]?.onFinish?.();
}

function onError(this: Owned, error: NodeJS.ErrnoException): void {
  this[OWNER]?.onError?.(error);
}

function onClose(this: Owned): void {
  const owner = this[OWNER];
  disown(this);
  owner?.onClosed();
}
