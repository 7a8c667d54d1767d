import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { CompressSettings, ContentCoding } from '../../../src/model/compress-settings.ts';
import { EdgeHarness, type policy } from '../edge-harness.ts';
import { Origin, type Script } from '../wire.ts';

/** How answers are compressed where `compress: true` says so, or about so. */
export function compression(change: Partial<CompressSettings> = {}): CompressSettings {
  return {
    encodings: ['zstd', 'br', 'gzip'],
    types: ['text/*', 'application/json', 'application/*+json'],
    minBytes: 1024,
    levels: { zstd: 3, br: 4, gzip: 5 },
    ...change,
  };
}

/** An edge whose service `app` plays a script, and has its answers compressed. */
export async function compressing(
  script: Script,
  change: Partial<CompressSettings> = {},
  policyChange: Parameters<typeof policy>[0] = {},
): Promise<{ harness: EdgeHarness; origin: Origin }> {
  const origin = await Origin.listen(script);
  const harness = await EdgeHarness.ready(origin, { compress: compression(change), ...policyChange });
  return { harness, origin };
}

/** Takes a coding off. @throws where the bytes are not whole */
export function decoded(coding: ContentCoding, bytes: Buffer): Buffer {
  switch (coding) {
    case 'zstd':
      return zstdDecompressSync(bytes);
    case 'br':
      return brotliDecompressSync(bytes);
    case 'gzip':
      return gunzipSync(bytes);
  }
}

/** A field that accepts these codings. */
export function accepting(...codings: string[]): string {
  return `Accept-Encoding: ${codings.join(', ')}\r\n`;
}

/** So many bytes of text that gets smaller, without being the same over and over again. */
export function prose(bytes: number): string {
  let text = '';
  for (let line = 0; text.length < bytes; line++)
    text += `${line}: ${(line * 7919) % 10_007} things are ${line % 17}\n`;
  return text.slice(0, bytes);
}
