import { randomFillSync } from 'node:crypto';

/** What a `traceparent` field says (W3C Trace Context §3.2). */
interface TraceParent {
  /** 32 digits of lower-case hexadecimal. */
  traceId: string;
  /** The caller's span: 16 digits. */
  spanId: string;
  isSampled: boolean;
}

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Reads a `traceparent`; of a later version what this one knows (§4.3). Undefined: it is not valid. */
export function readTraceParent(value: string): TraceParent | undefined {
  const [, version, traceId, spanId, flags, more] = PARENT.exec(value) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === undefined || spanId === undefined || isZero(traceId) || isZero(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags ?? '', 16) & SAMPLED) !== 0 };
}

/** Writes a `traceparent`. */
export function traceParent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/**
 * Whether a trace that begins here is sampled: by its id, so that whoever is asked says the same.
 * @param share of all traces, 0 to 1
 */
export function isSampledAt(share: number, traceId: string): boolean {
  return Number.parseInt(traceId.slice(24), 16) < share * 2 ** 32;
}

/** A random identity of a trace. */
export function newTraceId(): string {
  return randomHex(16);
}

/** A random identity of a span. */
export function newSpanId(): string {
  return randomHex(8);
}

/** Random bytes are drawn in advance: a call for each identity takes 1 µs. */
const pool = Buffer.alloc(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const hex = pool.toString('hex', used, used + bytes);
  used += bytes;
  return isZero(hex) ? randomHex(bytes) : hex;
}

function isZero(hex: string): boolean {
  return /^0+$/.test(hex);
}
