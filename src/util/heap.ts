/** What lies in a heap: the earliest comes first, and of those of one time the one with the lowest order. */
export interface HeapEntry {
  at: number;
  order: number;
  /** Where it lies, −1 while it does not. Owned by the heap. */
  place: number;
}

/** Entries by time: adding, taking the first and removing any of them cost the logarithm of their number. */
export class Heap<Entry extends HeapEntry> {
  readonly #entries: Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  get first(): Entry | undefined {
    return this.#entries[0];
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#rise(entry, this.#entries.length - 1);
  }

  /** Takes out the first. */
  take(): Entry | undefined {
    const first = this.#entries[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes out an entry; does nothing where it is not in. */
  remove(entry: Entry): void {
    const { place } = entry;
    if (place < 0) return;
    entry.place = -1;
    const last = this.#entries.pop() as Entry;
    if (last === entry) return;
    if (place > 0 && isBefore(last, this.#entries[(place - 1) >> 1] as Entry)) this.#rise(last, place);
    else this.#sink(last, place);
  }

  #rise(entry: Entry, from: number): void {
    const entries = this.#entries;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = entries[above] as Entry;
      if (!isBefore(entry, parent)) break;
      entries[place] = parent;
      parent.place = place;
      place = above;
    }
    entries[place] = entry;
    entry.place = place;
  }

  #sink(entry: Entry, from: number): void {
    const entries = this.#entries;
    const size = entries.length;
    let place = from;
    for (let below = 2 * place + 1; below < size; below = 2 * place + 1) {
      const right = entries[below + 1];
      if (right !== undefined && isBefore(right, entries[below] as Entry)) below++;
      const child = entries[below] as Entry;
      if (!isBefore(child, entry)) break;
      entries[place] = child;
      child.place = place;
      place = below;
    }
    entries[place] = entry;
    entry.place = place;
  }
}

function isBefore(a: HeapEntry, b: HeapEntry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
