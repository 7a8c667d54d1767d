/** Content codings that answers can be compressed by (RFC 9110 §8.4.1; RFC 7932, RFC 8878). */
export const contentCodings = ['zstd', 'br', 'gzip'] as const;
export type ContentCoding = (typeof contentCodings)[number];

/** Which answers are compressed, and how. */
export interface CompressSettings {
  /** At least one, each once. Of those that a client likes best, the first is taken. */
  encodings: ContentCoding[];
  /** Media types, lower case; `*` stands for anything. */
  types: string[];
  /** Content that is known to be shorter is sent as it is, bytes. */
  minBytes: number;
  /** How hard each coding tries: the more, the smaller and the slower. */
  levels: Record<ContentCoding, number>;
}
