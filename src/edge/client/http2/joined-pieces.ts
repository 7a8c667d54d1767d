/** Content of at least this size goes on at once. */
const SMALL_PIECE = 4 * 1024;

/**
 * Hands content on as it comes, but joins small pieces behind the first of a turn until the turn is over: a read may bring
 * thousands of them, and to send each by itself takes 2 µs.
 */
export class JoinedPieces {
  readonly #take: (piece: Buffer) => void;
  #joined: Buffer[] = [];
  /** A small piece went on in this turn. */
  #isJoining = false;

  constructor(take: (piece: Buffer) => void) {
    this.#take = take;
  }

  add(piece: Buffer): void {
    if (piece.length >= SMALL_PIECE) {
      this.flush();
      this.#take(piece);
    } else if (this.#isJoining) {
      this.#joined.push(piece);
    } else {
      this.#isJoining = true;
      setImmediate(endTurn, this);
      this.#take(piece);
    }
  }

  /** What waits goes on now. */
  flush(): void {
    const joined = this.#joined;
    if (joined.length === 0) return;
    this.#joined = [];
    this.#take(Buffer.concat(joined));
  }

  /** What waits is of no use any more. */
  drop(): void {
    this.#joined = [];
  }

  endTurn(): void {
    this.#isJoining = false;
    this.flush();
  }
}

function endTurn(pieces: JoinedPieces): void {
  pieces.endTurn();
}
