import type { ServerSessionOptions } from 'node:http2';
import type { ListenLimits } from '../../../model/settings.ts';

/** Fields beyond `limits.fields` that are read, so that a little too many are answered with 431: crumbs of Cookie too. */
const SPARE_PAIRS = 64;
/** Bytes of a head that we send: more than any is. */
const MOST_SENT = 64 * 1024 * 1024;
/** Bytes of the tables by which fields are compressed, of either side (RFC 7541 §4.2). */
const HEADER_TABLE = 4096;

/**
 * Options of a session by the limits of its listener. Of a head, `maxHeaderListSize` binds only a client that
 * acknowledges our settings; the number of pairs binds all, and with it what a table entry that is named again and
 * again can come to.
 */
export function sessionOptions({ head, fields, http2 }: ListenLimits): ServerSessionOptions {
  return {
    maxHeaderListPairs: fields + SPARE_PAIRS,
    maxDeflateDynamicTableSize: HEADER_TABLE,
    // What a service may send is bounded where it is read; a frame that cannot be sent would end the whole connection.
    maxSendHeaderBlockLength: MOST_SENT,
    // Services send fields more than once that should be there once; so do we in HTTP/1.1.
    strictSingleValueFields: false,
    settings: {
      headerTableSize: HEADER_TABLE,
      maxConcurrentStreams: http2.streams,
      maxHeaderListSize: head,
      enablePush: false,
      enableConnectProtocol: true,
    },
  };
}
