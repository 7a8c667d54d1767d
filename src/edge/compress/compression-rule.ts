import type { CompressSettings, ContentCoding } from '../../model/compress-settings.ts';
import { isGrpc } from '../answer/grpc.ts';
import { hasToken } from '../http1/field-lists.ts';
import { Framing } from '../http1/framing.ts';
import type { Head } from '../http1/head.ts';
import type { ResponseHead } from '../http1/response.ts';
import { Glob } from '../io/glob.ts';
import { trimOws } from '../io/http-syntax.ts';
import { preferredCoding } from './accept-encoding.ts';

/** The request that is answered. */
export interface CodableRequest {
  readonly method: string;
  readonly head: Head;
}

/**
 * What becomes of an answer: it is sent as it is, and nothing of it depends on the client (`plain`); it is sent as it is,
 * but to another client it might not be (`identity`); or its content is coded.
 */
export type Choice = 'plain' | 'identity' | ContentCoding;

/** Fields that tell what the content's bytes are: it could not be changed without breaking them (RFC 9530, RFC 1864). */
const DIGESTS = ['content-digest', 'repr-digest', 'digest', 'content-md5'];
const EVENT_STREAM = 'text/event-stream';

const NO_CONTENT = 204;
const RESET_CONTENT = 205;
const PARTIAL_CONTENT = 206;
const NOT_MODIFIED = 304;

/** Which answers of a route are compressed, and how; compiled. */
export class CompressionRule {
  readonly levels: CompressSettings['levels'];
  readonly minBytes: number;
  readonly #encodings: readonly ContentCoding[];
  readonly #types: ReadonlySet<string>;
  readonly #patterns: readonly Glob[];

  /** @param settings validated before */
  constructor({ encodings, types, minBytes, levels }: CompressSettings) {
    this.levels = levels;
    this.minBytes = minBytes;
    this.#encodings = encodings;
    this.#types = new Set(types.filter((type) => !type.includes('*')));
    this.#patterns = types.filter((type) => type.includes('*')).map((type) => new Glob(type));
  }

  /** Decides on an answer by its head, and by that of its request. */
  choose(request: CodableRequest, response: ResponseHead): Choice {
    const { head } = response;
    const type = head.get('content-type');
    // An answer without content says little of what it would have. Whether another client may get another answer is all
    // that matters, and where that is not known it does no harm to say so.
    if (response.status === NOT_MODIFIED) return type === undefined || this.covers(type) ? 'identity' : 'plain';
    if (!this.#isEligible(response, type)) return 'plain';
    // What is asked for in parts has to be counted in the bytes that the service knows.
    if (request.head.get('range') !== undefined || forbidsTransform(request.head)) return 'identity';
    return preferredCoding(request.head.list('accept-encoding'), this.#encodings) ?? 'identity';
  }

  #isEligible({ status, head, framing, lengthSent, length }: ResponseHead, type: string | undefined): boolean {
    if (status === NO_CONTENT || status === RESET_CONTENT || status === PARTIAL_CONTENT) return false;
    if (type === undefined || !this.covers(type)) return false;
    // A HEAD is answered as its GET would be.
    if (lengthSent && framing !== Framing.CHUNKED && length < this.minBytes) return false;
    if (head.get('content-encoding') !== undefined || head.get('content-range') !== undefined) return false;
    return !forbidsTransform(head) && !hasDigest(head);
  }

  /** Whether content of a type is compressed. @param contentType value of Content-Type */
  covers(contentType: string): boolean {
    const semicolon = contentType.indexOf(';');
    const type = trimOws(semicolon < 0 ? contentType : contentType.slice(0, semicolon)).toLowerCase();
    if (this.#types.has(type)) return true;
    if (type === EVENT_STREAM || type.startsWith('multipart/') || isGrpc(type)) return false;
    return this.#patterns.some((pattern) => pattern.matches(type));
  }
}

/** RFC 9111 §5.2.1.6, §5.2.2.6. */
function forbidsTransform(head: Head): boolean {
  const directives = head.list('cache-control');
  return directives !== undefined && hasToken(directives, 'no-transform');
}

/** Whether a digest of the content is sent, or will be behind it. */
function hasDigest(head: Head): boolean {
  const trailer = head.list('trailer');
  return DIGESTS.some((name) => head.get(name) !== undefined || (trailer !== undefined && hasToken(trailer, name)));
}
