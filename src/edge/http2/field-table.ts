/** What an entry takes beyond its name and its value, bytes (RFC 7541 §4.1). */
export const ENTRY_OVERHEAD = 32;
/** Bytes of the tables by which fields are compressed, of either side (RFC 7541 §4.2). */
export const TABLE_BYTES = 4096;

/** The static table (RFC 7541, appendix A): names and values in turn; the first has index 1. */
const STATIC: readonly string[] = [
  ...[':authority', '', ':method', 'GET', ':method', 'POST', ':path', '/', ':path', '/index.html'],
  ...[':scheme', 'http', ':scheme', 'https', ':status', '200', ':status', '204', ':status', '206'],
  ...[':status', '304', ':status', '400', ':status', '404', ':status', '500', 'accept-charset', ''],
  ...['accept-encoding', 'gzip, deflate', 'accept-language', '', 'accept-ranges', '', 'accept', ''],
  ...['access-control-allow-origin', '', 'age', '', 'allow', '', 'authorization', '', 'cache-control', ''],
  ...['content-disposition', '', 'content-encoding', '', 'content-language', '', 'content-length', ''],
  ...['content-location', '', 'content-range', '', 'content-type', '', 'cookie', '', 'date', '', 'etag', ''],
  ...['expect', '', 'expires', '', 'from', '', 'host', '', 'if-match', '', 'if-modified-since', ''],
  ...['if-none-match', '', 'if-range', '', 'if-unmodified-since', '', 'last-modified', '', 'link', ''],
  ...['location', '', 'max-forwards', '', 'proxy-authenticate', '', 'proxy-authorization', '', 'range', ''],
  ...['referer', '', 'refresh', '', 'retry-after', '', 'server', '', 'set-cookie', ''],
  ...['strict-transport-security', '', 'transfer-encoding', '', 'user-agent', '', 'vary', '', 'via', ''],
  ...['www-authenticate', ''],
];

/** Number of entries of the static table; the dynamic one follows. */
export const STATIC_SIZE = STATIC.length / 2;

/** First index of each name of the static table. */
export const STATIC_NAMES: ReadonlyMap<string, number> = firstIndexes();

function firstIndexes(): Map<string, number> {
  const indexes = new Map<string, number>();
  for (let index = 1; index <= STATIC_SIZE; index++) {
    const name = staticName(index);
    if (!indexes.has(name)) indexes.set(name, index);
  }
  return indexes;
}

/** @param index from 1 to {@link STATIC_SIZE} */
export function staticName(index: number): string {
  return STATIC[2 * index - 2] as string;
}

/** @param index from 1 to {@link STATIC_SIZE} */
export function staticValue(index: number): string {
  return STATIC[2 * index - 1] as string;
}

/** Most entries that a table of {@link TABLE_BYTES} holds. */
const MOST_ENTRIES = TABLE_BYTES / ENTRY_OVERHEAD;

/**
 * The dynamic table of one direction of a connection (RFC 7541 §2.3.2): a ring, of which the newest entry has place 0.
 * All its strings are of one byte per character, so that their length is their size.
 */
export class FieldTable {
  /** Number of entries. */
  count = 0;
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  /** Where the newest entry is in the ring. */
  #newest = 0;
  #bytes = 0;
  #most: number;

  /** @param most bytes of all entries, {@link TABLE_BYTES} at most */
  constructor(most: number = TABLE_BYTES) {
    this.#most = most;
  }

  /** Bytes that all entries may come to. */
  get most(): number {
    return this.#most;
  }

  /** Sets how many bytes all entries may come to, {@link TABLE_BYTES} at most. */
  resize(most: number): void {
    this.#most = most;
    this.#evict(0);
  }

  /** @param place below {@link count} */
  name(place: number): string {
    return this.#names[(this.#newest + place) % MOST_ENTRIES] as string;
  }

  /** @param place below {@link count} */
  value(place: number): string {
    return this.#values[(this.#newest + place) % MOST_ENTRIES] as string;
  }

  /** Adds an entry. One that is larger than the table only empties it (RFC 7541 §4.4). */
  add(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(bytes);
    if (bytes > this.#most) return;
    this.#newest = (this.#newest + MOST_ENTRIES - 1) % MOST_ENTRIES;
    this.#names[this.#newest] = name;
    this.#values[this.#newest] = value;
    this.#bytes += bytes;
    this.count++;
  }

  /** Drops the oldest entries until there is room for so many bytes more, or none is left. */
  #evict(bytes: number): void {
    while (this.count > 0 && this.#bytes + bytes > this.#most) {
      this.count--;
      const oldest = (this.#newest + this.count) % MOST_ENTRIES;
      this.#bytes -= (this.#names[oldest] as string).length + (this.#values[oldest] as string).length + ENTRY_OVERHEAD;
      this.#names[oldest] = '';
      this.#values[oldest] = '';
    }
  }
}
