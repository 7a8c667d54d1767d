import type { Transform } from 'node:stream';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  type Zlib,
  zstdCompressSync,
} from 'node:zlib';
import type { ContentCoding } from '../../model/compress-settings.ts';

/** An open compression: a stream of node:zlib. */
export type Encoder = Transform & Zlib & { flush(kind: number, callback: () => void): void };

/**
 * How far back Brotli and Zstandard look, as a power of two. With 256 KiB an encoder takes 1.6 and 1.4 MiB, with the
 * usual 4 and 2 MiB it takes 4.7 and 3.2 MiB, and pages and JSON of a MiB get no smaller by it.
 */
const WINDOW_BITS = 18;
/** Told of a MiB, Brotli takes tables of 4 MiB more at level 4, to send 15.7 % of JSON in place of 16.8 %. */
const MOST_HINTED = 2 ** 19;
/** Levels up to which content that is here whole is compressed at once: 16 KiB take 50–250 µs by them. */
const QUICK: Readonly<Record<ContentCoding, number>> = { zstd: 6, br: 5, gzip: 6 };

/** What ends a part that a client can decode by itself. */
const FLUSH: Readonly<Record<ContentCoding, number>> = {
  zstd: constants.ZSTD_e_flush,
  br: constants.BROTLI_OPERATION_FLUSH,
  gzip: constants.Z_SYNC_FLUSH,
};

/** Opens an encoder. @param size of the content in bytes, where that is certain @throws where there is no memory */
export function openEncoder(coding: ContentCoding, level: number, size: number | undefined): Encoder {
  switch (coding) {
    case 'zstd':
      return createZstdCompress({
        ...zstdOptions(level),
        ...(size === undefined ? {} : { pledgedSrcSize: size }),
      }) as Encoder;
    case 'br':
      return createBrotliCompress(brotliOptions(level, size ?? 0)) as Encoder;
    case 'gzip':
      return createGzip({ level }) as Encoder;
  }
}

/** Lets all come out that went in so far. */
export function flushEncoder(encoder: Encoder, coding: ContentCoding, done: () => void): void {
  encoder.flush(FLUSH[coding], done);
}

/** Whether content that is here whole is compressed at once, and not by an encoder. */
export function isQuick(coding: ContentCoding, level: number): boolean {
  return level <= QUICK[coding];
}

/** Compresses content that is here whole: without a stream, and its trip to another thread, 1 KiB takes 20 µs, not 100. */
export function encodeWhole(coding: ContentCoding, level: number, content: Buffer): Buffer {
  switch (coding) {
    case 'zstd':
      return zstdCompressSync(content, zstdOptions(level));
    case 'br':
      return brotliCompressSync(content, brotliOptions(level, content.length));
    case 'gzip':
      return gzipSync(content, { level });
  }
}

function zstdOptions(level: number) {
  return { params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW_BITS } };
}

function brotliOptions(level: number, size: number) {
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: Math.min(size, MOST_HINTED),
    },
  };
}
