/**
 * What can be wrong with a message, in words for an operator: in the access log, and for answers in the log and the
 * events. Their number is bounded, and they hold nothing of the message.
 */
export const Fault = {
  BARE_LF: 'bare LF',
  BARE_CR: 'bare CR',
  CONTROL: 'control character in a field',
  FOLDED: 'folded line',
  NO_NAME: 'field without a name',
  BAD_NAME: 'invalid field name',
  NO_COLON: 'field without a colon',
  SPACE_BEFORE_COLON: 'white space before a colon',
  BAD_REQUEST_LINE: 'invalid request line',
  BAD_METHOD: 'invalid method',
  BAD_TARGET: 'invalid request target',
  BAD_VERSION: 'invalid HTTP version',
  INCOMPLETE: 'connection ended within the head',
  TLS_REQUEST: 'TLS on a port without it',
  HTTP_ON_TLS: 'HTTP without TLS on a port with it',
  NO_HOST: 'no Host field',
  LONG_LIST: 'too long a list in a field',
  TWO_HOSTS: 'two Host fields',
  BAD_HOST: 'invalid Host',
  BAD_LENGTH: 'invalid Content-Length',
  TWO_LENGTHS: 'two Content-Length fields',
  LENGTH_AND_CODING: 'Content-Length and Transfer-Encoding',
  OLD_CODING: 'Transfer-Encoding in HTTP/1.0',
  CODING_TWICE: 'Transfer-Encoding twice',
  CODING_ORDER: 'chunked is not the last transfer coding',
  BAD_CODING: 'invalid Transfer-Encoding',
  UNKNOWN_CODING: 'unknown transfer coding',
  BAD_CHUNK_SIZE: 'invalid chunk size',
  BAD_EXTENSION: 'invalid chunk extension',
  EXTENSIONS_TOO_LONG: 'chunk extensions too long',
  BAD_CHUNK_END: 'chunk data without CRLF behind it',
  BAD_TRAILERS: 'invalid trailers',
  TRAILERS_TOO_LONG: 'trailers too long',
  HEAD_TOO_LONG: 'head too long',
  TOO_MANY_FIELDS: 'too many fields',
  BAD_STATUS_LINE: 'invalid status line',
  NO_HTTP: 'no HTTP/1 answer',
  TLS_ANSWER: 'the endpoint speaks TLS',
  NO_HTTP2: 'no HTTP/2 answer',
  WANTS_HTTP1: 'the endpoint wants HTTP/1.1',
  BROKEN_STREAM: 'stream ended for a breach of HTTP/2',
  HANDSHAKE: 'TLS handshake failed',
  UNASKED: 'bytes that nobody asked for',
  MANY_INTERIMS: 'too many interim answers',
  UNASKED_SWITCH: '101 that was not asked for',
  BAD_PSEUDO: 'invalid pseudo-field',
  CONNECTION_FIELD: 'field of the connection in HTTP/2',
  UPPER_CASE: 'upper case in a field name',
  SPACE_AROUND: 'white space around a field value',
  AUTHORITY_AND_HOST: ':authority and Host differ',
  WRONG_LENGTH: 'content of another length than Content-Length',
} as const;

export type FaultText = (typeof Fault)[keyof typeof Fault];

/** Tells what bytes are that begin no status line; undefined when they may still become one. */
export function strangerIn(beginning: string): FaultText | undefined {
  // A TLS alert, or a handshake, of any version.
  if (beginning.charCodeAt(0) === 0x15 || beginning.charCodeAt(0) === 0x16) {
    if (beginning.length === 1) return undefined;
    return beginning.charCodeAt(1) === 3 ? Fault.TLS_ANSWER : Fault.NO_HTTP;
  }
  const known = Math.min(beginning.length, 7);
  return 'HTTP/1.'.startsWith(beginning.slice(0, known)) ? undefined : Fault.NO_HTTP;
}

/** Tells what bytes are that begin no request. */
export function strangerRequest(beginning: string): FaultText {
  return beginning.charCodeAt(0) === 0x16 ? Fault.TLS_REQUEST : Fault.BAD_METHOD;
}
