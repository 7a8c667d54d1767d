import { z } from 'zod';
import { type CompressSettings, type ContentCoding, contentCodings } from '../../model/compress-settings.ts';
import { abouts, type Exactly, option, options, section } from '../option/option.ts';
import { switchOrSection } from '../option/shorthand.ts';
import { choice, integer, parsed, type Reading, size } from '../option/value-types.ts';

/** Text of all kinds, and what else gets much smaller. Pictures, films and archives are compressed already. */
const TYPES = [
  'text/*',
  'application/json',
  'application/*+json',
  'application/x-ndjson',
  'application/xml',
  'application/*+xml',
  'application/javascript',
  'application/x-javascript',
  'application/wasm',
  'application/vnd.ms-fontobject',
  'application/x-font-ttf',
  'font/collection',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/svg+xml',
  'image/vnd.microsoft.icon',
  'image/x-icon',
];

/** A media type, in which `*` stands for anything (RFC 9110 §8.3.1). */
function readMediaType(text: string): Reading<string> {
  const type = text.toLowerCase();
  if (type.includes(';')) return { fault: 'a media type without parameters: they do not matter here' };
  if (!/^[a-z0-9!#$&^_.+*-]+\/[a-z0-9!#$&^_.+*-]+$/.test(type)) return undefined;
  if (type.startsWith('multipart/'))
    return { fault: 'multipart is never compressed: its parts have types of their own' };
  return /^application\/grpc(?:$|\+)/.test(type)
    ? { fault: 'gRPC is never compressed: it compresses messages' }
    : { value: type };
}

const levels = section(
  {
    zstd: option(integer('level', 1, 12), '3', 'Level of zstd.'),
    br: option(integer('level', 1, 9), '4', 'Level of br (Brotli).'),
    gzip: option(integer('level', 1, 9), '5', 'Level of gzip.'),
  },
  'How hard each encoding tries: the more, the smaller and the slower.',
) satisfies Exactly<Record<ContentCoding, number>>;

const encodings = z
  .array(choice(...contentCodings))
  .min(1, 'expected at least one encoding')
  .refine((all) => new Set(all).size === all.length, 'an encoding is listed twice')
  .prefault([...contentCodings]);
abouts.add(encodings, {
  about: 'Encodings that are offered. Of those that a client likes best (`q`), the first is taken.',
  fallback: `\`[${contentCodings.join(', ')}]\``,
});

const types = z
  .array(parsed('media type', 'a media type such as text/html or text/*', readMediaType))
  .min(1, 'expected at least one media type')
  .prefault(TYPES);
abouts.add(types, {
  about:
    '[Media types](compression.md#what-is-compressed) of answers that are compressed; `*` stands for anything. `text/event-stream` has to be named itself: ' +
    'such streams stay open for long, and each keeps an encoder.',
  fallback: 'text and what else gets much smaller',
});

/** `compress`, of a service or a route. @param fallback what holds where it is left out, in words */
export function compressSchema(fallback: string) {
  return switchOrSection(
    options({
      encodings,
      types,
      minBytes: option(size(), '1KiB', 'Content that is known to be shorter is sent as it is.'),
      levels,
    }) satisfies Exactly<CompressSettings>,
    'encodings',
    'true, false, a list of encodings',
    'Compresses answers for clients that accept it: `true`, a list of encodings, or what is to differ from the defaults. ' +
      'See [Compression](compression.md).',
    fallback,
  );
}
