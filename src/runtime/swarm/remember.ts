/** How many tasks or services something is remembered of. */
const REMEMBERED = 4096;

/** Adds what is known of one, as the newest, and forgets the oldest where there are too many. */
export function remember<Value>(known: Map<string, Value>, id: string, value: Value): void {
  known.delete(id);
  known.set(id, value);
  for (const oldest of known.keys()) {
    if (known.size <= REMEMBERED) return;
    known.delete(oldest);
  }
}
