import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../../util/clock.ts';
import type { FrameReader } from '../../http2/frame-reader.ts';
import { loopTurn } from '../../io/loop-turn.ts';

/** How long one connection is read at a time, ms: once or twice in each turn of the event loop. */
const TURN_MS = 0.25;
/**
 * Between two reads of a connection of which nothing is taken any more, ms: this only finds out that its client has left.
 * There may be hundreds that were cut, and are not closed yet.
 */
const DROPPING_MS = 100;
/** So many reads of it are dropped before: what an honest client has yet to say is less. */
const DROPPED_READS = 16;

/** No turn of the event loop. */
const NONE = -1;

interface TurnsOwner {
  /** The client sent more than there was time for. */
  onLongTurn(): void;
  /** All that came is read. */
  onCaughtUp(): void;
}

/** `reading`. `resting`: others have their turn, and the socket is not read. `over`: the connection is closed. */
type Phase = 'reading' | 'resting' | 'over';

/**
 * Reads one connection in turns, so that no client holds up the others: Node reads up to 2 MiB of a socket at once, and
 * small frames are sent faster than they are acted on. What there is no time for is kept, one read at most (two with
 * TLS), until all other sockets that have something were read.
 */
export class ReadTurns {
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #clock: Clock;
  readonly #owner: TurnsOwner;
  #phase: Phase = 'reading';
  /** Of the event loop: all reads within one have the same time. */
  #turn = NONE;
  #endsAt = 0;
  #isSpent = false;
  /** Reads of which nothing was taken. */
  #dropped = 0;
  /** What there was no time for. */
  #held: Buffer | undefined;
  /** Until it may be read again, where that is not the next turn. */
  #timer: Timer | undefined;

  constructor(socket: Socket, reader: FrameReader, clock: Clock, owner: TurnsOwner) {
    this.#socket = socket;
    this.#reader = reader;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Bytes that came, and that there was no time for. */
  get behind(): number {
    return this.#held?.length ?? 0;
  }

  /** Whether the present turn has taken long enough. */
  get isOver(): boolean {
    this.#isSpent = this.#clock.now() >= this.#endsAt;
    return this.#isSpent;
  }

  /** Reads what came, as far as there is time. @param size bytes of it; the buffer is used again */
  take(bytes: Buffer, size: number): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'resting') {
      const more = bytes.subarray(0, size);
      // TLS hands over all that one read brought.
      if (!this.#reader.isStopped) this.#held = Buffer.concat(this.#held === undefined ? [more] : [this.#held, more]);
      return;
    }
    if (this.#reader.isStopped) {
      if (++this.#dropped > DROPPED_READS) this.#rest(undefined);
      return;
    }
    if (loopTurn() !== this.#turn) this.#begin();
    this.#read(bytes, size);
  }

  #begin(): void {
    this.#turn = loopTurn();
    this.#endsAt = this.#clock.now() + TURN_MS;
  }

  #read(bytes: Buffer, size: number): void {
    const end = this.#reader.read(bytes, 0, size, this);
    if (this.#isSpent) this.#rest(end < size ? bytes.subarray(end, size) : undefined);
  }

  #rest(left: Buffer | undefined): void {
    this.#isSpent = false;
    if (this.#phase === 'over') return;
    this.#phase = 'resting';
    this.#socket.pause();
    if (this.#reader.isStopped) {
      this.#timer = this.#clock.after(DROPPING_MS, () => this.goOn());
      return;
    }
    this.#held = left && Buffer.from(left);
    setImmediate(goOn, this);
    this.#owner.onLongTurn();
  }

  /** Reads what is held, and then the socket. */
  goOn(): void {
    if (this.#phase !== 'resting') return;
    this.#phase = 'reading';
    const held = this.#held;
    this.#held = undefined;
    this.#begin();
    if (held !== undefined) this.#read(held, held.length);
    if (this.#isResting) return;
    // What is read next has its own time: there is nothing left of this one on a loop that has much to do.
    this.#turn = NONE;
    this.#owner.onCaughtUp();
    this.#socket.resume();
  }

  get #isResting(): boolean {
    return this.#phase === 'resting';
  }

  /** The connection is closed. */
  close(): void {
    this.#phase = 'over';
    this.#held = undefined;
    this.#timer?.cancel();
  }
}

function goOn(turns: ReadTurns): void {
  turns.goOn();
}
