import type { Socket } from 'node:net';
import { type Member, Members } from '../../../util/members.ts';
import type { DeadlineEntry, Deadlines } from '../../io/deadlines.ts';

/** How often sessions are looked at, ms. */
const EVERY_MS = 500;
/** So many bytes that were of no use are one point. */
const BYTES_PER_POINT = 100;
/** A byte of content pays for one more: the head of its frame. Small messages are mostly larger than that. */
const CONTENT_WORTH = 2;
/** What we sent pays for what the client says to it: two WINDOW_UPDATE for each DATA frame of a few words. */
const SENT_WORTH = 0.5;
/** A request's head may be this much larger on the wire than as text, bytes. */
const HEAD_SPARE = 64;
/** Most that may be saved up, bytes. */
const MOST_CREDIT = 1024 * 1024;
/** What may be under way to a stream when we end it (RFC 9113 §6.9.2), bytes. */
const WINDOW = 65_535;

/** Whose bytes they are. */
interface AccountOwner {
  /** Bytes that came, and have yet to tell what they are. */
  readonly unread: number;
  /** @param points for bytes that were of no use */
  onWaste(points: number): void;
  /** Nothing came since it was looked at last. */
  onQuiet(): void;
}

/**
 * The bytes of one session that make no request and no content, such as WINDOW_UPDATE, PRIORITY and heads that are
 * refused unread: what nothing accounts for is odd behaviour, whatever it is.
 */
export class ByteAccount implements Member {
  place = 0;
  readonly #socket: Socket;
  readonly #owner: AccountOwner;
  #credit = 0;
  #read: number;
  #sent: number;

  constructor(socket: Socket, owner: AccountOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#read = socket.bytesRead;
    this.#sent = socket.bytesWritten;
  }

  /** A request came, whose head is so many characters as text. */
  head(size: number): void {
    this.#credit += size + HEAD_SPARE;
  }

  /** So many bytes of content came. */
  content(size: number): void {
    this.#credit += size * CONTENT_WORTH;
  }

  /** We ended a stream, whose client may have sent on until it hears. */
  cutShort(): void {
    this.#credit += WINDOW;
  }

  look(): void {
    const { bytesWritten } = this.#socket;
    const bytesRead = this.#socket.bytesRead - this.#owner.unread;
    if (bytesRead === this.#read) this.#owner.onQuiet();
    this.#credit += (bytesWritten - this.#sent) * SENT_WORTH - (bytesRead - this.#read);
    this.#read = bytesRead;
    this.#sent = bytesWritten;
    if (this.#credit < 0) {
      const points = -this.#credit / BYTES_PER_POINT;
      this.#credit = 0;
      this.#owner.onWaste(points);
    } else if (this.#credit > MOST_CREDIT) {
      this.#credit = MOST_CREDIT;
    }
  }
}

/** Looks at the accounts of all sessions; where there are none, it takes no time. */
export class ByteWatch implements DeadlineEntry {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  readonly #accounts = new Members<ByteAccount>();
  readonly #deadlines: Deadlines;

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  add(account: ByteAccount): void {
    if (this.#accounts.size === 0) this.#deadlines.arm(this, EVERY_MS);
    this.#accounts.add(account);
  }

  delete(account: ByteAccount): void {
    this.#accounts.delete(account);
    if (this.#accounts.size === 0) this.#deadlines.disarm(this);
  }

  onDeadline(): void {
    for (const account of this.#accounts.list()) account.look();
    if (this.#accounts.size > 0) this.#deadlines.arm(this, EVERY_MS);
  }
}
