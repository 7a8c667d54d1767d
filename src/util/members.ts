/** Something that is in one list of {@link Members} at most. */
export interface Member {
  /** Its place in the list. Owned by the list. */
  place: number;
}

/**
 * A set for what comes and goes thousands of times a second. A `Set` keeps what was deleted from it alive until it grows
 * or shrinks, in memory that only a full collection looks at, so that all of it outlives the collections of young memory.
 */
export class Members<T extends Member> {
  readonly #all: T[] = [];

  get size(): number {
    return this.#all.length;
  }

  /** Adds what is not in it. */
  add(member: T): void {
    member.place = this.#all.length;
    this.#all.push(member);
  }

  /** Removes a member; what is not in it is left alone. The last one takes its place. */
  delete(member: T): void {
    if (this.#all[member.place] !== member) return;
    const last = this.#all.pop() as T;
    if (last === member) return;
    this.#all[member.place] = last;
    last.place = member.place;
  }

  /** All of them as they are now, whatever happens to the list meanwhile. */
  list(): T[] {
    return [...this.#all];
  }
}
