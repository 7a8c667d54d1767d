/** A place in a list of connections; owned by the list. */
export interface IdleConnection {
  previousIdle: IdleConnection | undefined;
  nextIdle: IdleConnection | undefined;
  /** Since when, the clock's ms; of those only that have said nothing yet. */
  silentSince: number;
  /** The list that it is in. */
  idleIn: IdleList | undefined;
  /**
   * Closes it: another gets its place.
   * @param isNew it has been there for so short a time that its first request may be on its way: it is told
   */
  giveWay(isNew: boolean): void;
}

/** Connections in the order in which they became idle; to put one in and to take one out is a few writes. */
export class IdleList {
  first: IdleConnection | undefined;
  #last: IdleConnection | undefined;
  size = 0;

  push(connection: IdleConnection): void {
    connection.idleIn = this;
    connection.previousIdle = this.#last;
    connection.nextIdle = undefined;
    if (this.#last === undefined) this.first = connection;
    else this.#last.nextIdle = connection;
    this.#last = connection;
    this.size++;
  }

  remove(connection: IdleConnection): void {
    const { previousIdle: previous, nextIdle: next } = connection;
    if (previous === undefined) this.first = next;
    else previous.nextIdle = next;
    if (next === undefined) this.#last = previous;
    else next.previousIdle = previous;
    connection.idleIn = undefined;
    connection.previousIdle = undefined;
    connection.nextIdle = undefined;
    this.size--;
  }
}

/** One in so many of all places may be taken by connections that have never said anything, before they go first. */
const SILENT_SHARE = 8;
/** A new connection may be silent for so long before it counts as idle, ms: its request is on its way. */
const SETTLE_MS = 1000;

/**
 * The connections of one listener on which nothing has come of a next request: where all places are taken, they make
 * room for new ones. Those that have never said a word are apart. To open them costs nothing, so a flood of them must
 * not close connections that are in use, whose next request would fail or be slow: where they take an eighth of all
 * places, they make room themselves. Below that, a new one has a moment for its request.
 */
export class IdleConnections {
  readonly #silent = new IdleList();
  readonly #kept = new IdleList();
  readonly #left = new IdleList();

  /** A new connection has yet to say something. */
  open(connection: IdleConnection): void {
    this.#silent.push(connection);
  }

  /** Its request is answered. */
  rest(connection: IdleConnection): void {
    this.leave(connection);
    this.#kept.push(connection);
  }

  /** It has its last answer, and is only there until its client closes it. */
  end(connection: IdleConnection): void {
    this.leave(connection);
    this.#left.push(connection);
  }

  /** Something of a request came, or it ends. */
  leave(connection: IdleConnection): void {
    connection.idleIn?.remove(connection);
  }

  /**
   * Closes the one that has been idle for longest.
   * @param places how many connections there may be
   * @param now the clock's ms
   * @returns false where none is idle
   */
  makeRoom(places: number, now: number): boolean {
    const silent = this.#silent.first;
    const crowded = this.#silent.size * SILENT_SHARE > places;
    const isNew = silent !== undefined && now - silent.silentSince < SETTLE_MS;
    const goes = silent !== undefined && (crowded || !isNew);
    const first = goes ? silent : (this.#kept.first ?? this.#left.first);
    if (first === undefined) return false;
    this.leave(first);
    first.giveWay(goes && isNew);
    return true;
  }
}
