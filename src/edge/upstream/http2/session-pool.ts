import type { UpstreamOpener } from '../carrier.ts';
import type { Destination } from '../upstream-connection.ts';
import { type SessionFault, type SessionOwner, UpstreamSession } from './upstream-session.ts';
import { UpstreamStream } from './upstream-stream.ts';

/** Most sessions of one endpoint; beyond what they take, requests wait for `timeouts.connect` at most. */
const MAX_SESSIONS = 16;
/** How many requests a session that is being opened is expected to take: what the RFC asks of servers (§6.5.2). */
const EXPECTED_STREAMS = 100;
/** A session without requests is closed after so long, ms. */
const IDLE_MS = 60_000;

/** The sessions of one endpoint that speaks HTTP/2, and the requests that wait for one. */
export class SessionPool implements SessionOwner {
  readonly #destination: Destination;
  #sessions: UpstreamSession[] = [];
  #waiting: UpstreamStream[] = [];
  #isDealing = false;
  #isOver = false;

  constructor(destination: Destination) {
    this.#destination = destination;
  }

  /** Sessions without a request. */
  get idleCount(): number {
    return this.#sessions.filter((session) => session.isOpen && session.streams === 0).length;
  }

  /** Takes a stream of a session that is open; undefined where none has room. @param now the clock's ms */
  take(now: number): UpstreamStream | undefined {
    const session = this.#waiting.length > 0 ? undefined : this.#roomy();
    return session === undefined ? undefined : UpstreamStream.on(session, now);
  }

  /** Opens a stream: on a session that has room, or on another one. The opener is told later, never at once. */
  open(opener: UpstreamOpener): UpstreamStream {
    const stream = new UpstreamStream(opener, this);
    this.#waiting.push(stream);
    if (!this.#isDealing) {
      this.#isDealing = true;
      queueMicrotask(this.#deal);
    }
    return stream;
  }

  /** A stream waits no more. Without others, nothing is opened for it. */
  giveUp(stream: UpstreamStream): void {
    const index = this.#waiting.indexOf(stream);
    if (index >= 0) this.#waiting.splice(index, 1);
    if (this.#waiting.length > 0) return;
    for (const session of this.#sessions.filter(({ isConnecting }) => isConnecting)) session.destroy();
  }

  /** Closes sessions that have been idle for long, and leaves silent ones to what is on them. @param now the clock's ms */
  expireIdle(now: number): void {
    for (const session of [...this.#sessions]) {
      if (session.isSilent(now)) session.leave();
      if (!session.isOpen || session.streams > 0) continue;
      session.idleSince ??= now;
      if (now - session.idleSince >= IDLE_MS) session.leave();
    }
  }

  closeIdle(): void {
    for (const session of [...this.#sessions]) if (session.isOpen && session.streams === 0) session.leave();
  }

  /** Takes no more requests: every session closes behind its last one. */
  retire(): void {
    this.#isOver = true;
    for (const session of [...this.#sessions]) session.leave();
  }

  onRoom(session: UpstreamSession): void {
    this.#deal();
    // It may have been opened for others, who have gone.
    if (session.streams === 0) this.#leaveUnlessKept(session);
  }

  onSessionFailed(session: UpstreamSession, fault: SessionFault): void {
    this.#remove(session);
    // Where another one is on its way, they wait for that. Nobody tries here again: they may go elsewhere.
    if (this.#sessions.some(({ isConnecting }) => isConnecting)) return;
    for (const stream of this.#waiting.splice(0)) stream.fail(fault);
  }

  onSessionLeft(session: UpstreamSession, isLost: boolean): void {
    this.#remove(session);
    if (isLost) this.#destination.lost(true);
    this.#deal();
  }

  onSessionIdle(session: UpstreamSession): void {
    session.idleSince = undefined;
    this.#leaveUnlessKept(session);
  }

  #leaveUnlessKept(session: UpstreamSession): void {
    if (this.#isOver || !this.#destination.keepsIdle) session.leave();
  }

  #remove(session: UpstreamSession): void {
    const index = this.#sessions.indexOf(session);
    if (index >= 0) this.#sessions.splice(index, 1);
  }

  #roomy(): UpstreamSession | undefined {
    return this.#sessions.find(({ hasRoom }) => hasRoom);
  }

  /** Gives room to those who wait, first come first served, and opens sessions for the rest. */
  readonly #deal = (): void => {
    this.#isDealing = false;
    while (this.#waiting.length > 0) {
      const session = this.#roomy();
      if (session === undefined) break;
      (this.#waiting.shift() as UpstreamStream).connect(session);
    }
    let expected = this.#sessions.filter(({ isConnecting }) => isConnecting).length * EXPECTED_STREAMS;
    for (; this.#waiting.length > expected && this.#sessions.length < MAX_SESSIONS; expected += EXPECTED_STREAMS) {
      this.#sessions.push(new UpstreamSession(this, this.#destination));
    }
  };
}
