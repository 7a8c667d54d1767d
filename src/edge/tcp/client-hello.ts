/** What a beginning of TLS says of where it leads (RFC 8446 §4.1.2, RFC 6066 §3). */
export type ClientHello =
  /** More bytes are needed to tell. */
  | { readonly outcome: 'more' }
  /** It is no ClientHello, or one that breaks its own lengths. */
  | { readonly outcome: 'broken'; readonly fault: HelloFault }
  /**
   * `serverName` is in lower case; undefined where it names none. `protocols`: the list of those that it offers as it came
   * (ALPN, RFC 7301 §3.1); undefined where it offers none.
   */
  | { readonly outcome: 'read'; readonly serverName: string | undefined; readonly protocols: Buffer | undefined };

/** Why bytes are no ClientHello, in words of ours. */
export type HelloFault = 'no TLS ClientHello' | 'ClientHello too long' | 'malformed ClientHello';

/** Longest ClientHello, bytes; those of browsers have 2 KiB, and post-quantum keys add one. */
export const MAX_HELLO = 16 * 1024;
/** Most records that it may be spread over: clients send it in one, and some split it to get past middleboxes. */
const MAX_RECORDS = 64;
const RECORD_HEADER = 5;
/** Longest payload of a record in clear text (RFC 8446 §5.1), bytes. */
const MAX_RECORD = 16 * 1024;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const MESSAGE_HEADER = 4;
/** legacy_version and random. */
const HELLO_FIXED = 34;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const ALPN = 16;
const NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

const MORE: ClientHello = { outcome: 'more' };
const STRANGER: ClientHello = { outcome: 'broken', fault: 'no TLS ClientHello' };
const TOO_LONG: ClientHello = { outcome: 'broken', fault: 'ClientHello too long' };
const MALFORMED: ClientHello = { outcome: 'broken', fault: 'malformed ClientHello' };

/**
 * Reads the name that a client asks for from the first bytes of its connection. It looks at no more than
 * {@link MAX_HELLO} bytes of message, and takes time by the bytes that are there.
 */
export function readClientHello(bytes: Buffer): ClientHello {
  const parts: Buffer[] = [];
  let gathered = 0;
  let needed = MESSAGE_HEADER;
  for (let at = 0, records = 0; gathered < needed; records++) {
    const header = judgeRecord(bytes, at);
    if (header !== undefined) return header;
    if (records === MAX_RECORDS) return TOO_LONG;
    const size = bytes.readUInt16BE(at + 3);
    const part = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + size);
    if (part.length > 0) parts.push(part);
    gathered += part.length;
    if (parts[0]?.[0] !== undefined && parts[0][0] !== CLIENT_HELLO) return STRANGER;
    if (gathered >= MESSAGE_HEADER && needed === MESSAGE_HEADER) needed += lengthOf(parts);
    if (needed > MAX_HELLO) return TOO_LONG;
    if (part.length < size && gathered < needed) return MORE;
    at += RECORD_HEADER + size;
  }
  const message = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  return readHello(message.subarray(MESSAGE_HEADER, needed));
}

/** @returns what is wrong or missing with the header of a record; undefined: it is whole, and one of a handshake */
function judgeRecord(bytes: Buffer, at: number): ClientHello | undefined {
  const [type, major] = [bytes[at], bytes[at + 1]];
  if ((type !== undefined && type !== HANDSHAKE) || (major !== undefined && major !== 3)) return STRANGER;
  if (bytes.length < at + RECORD_HEADER) return MORE;
  const size = bytes.readUInt16BE(at + 3);
  return size === 0 || size > MAX_RECORD ? MALFORMED : undefined;
}

/** The length that the message states, which may be spread over the first four records. */
function lengthOf(parts: readonly Buffer[]): number {
  const [first] = parts as [Buffer];
  const header = first.length >= MESSAGE_HEADER ? first : Buffer.concat(parts);
  return header.readUIntBE(1, 3);
}

/** Goes through the fields of a whole message: every length has to end within what it is part of. */
function readHello(hello: Buffer): ClientHello {
  if (hello.length < HELLO_FIXED || hello[0] !== 3) return MALFORMED;
  const session = endOfVector(hello, HELLO_FIXED, 1);
  const ciphers = endOfVector(hello, session, 2);
  const compression = endOfVector(hello, ciphers, 1);
  if (compression < 0) return MALFORMED;
  // Before TLS 1.3 there need be no extensions, and then there is no name.
  if (compression === hello.length) return { outcome: 'read', serverName: undefined, protocols: undefined };
  if (endOfVector(hello, compression, 2) !== hello.length) return MALFORMED;
  return readExtensions(hello.subarray(compression + 2));
}

function readExtensions(bytes: Buffer): ClientHello {
  let serverName: string | undefined;
  let protocols: Buffer | undefined;
  for (let at = 0; at < bytes.length; ) {
    const end = endOfVector(bytes, at + 2, 2);
    if (end < 0) return MALFORMED;
    const kind = bytes.readUInt16BE(at);
    if (kind === ALPN) protocols = bytes.subarray(at + 4, end);
    if (kind === SERVER_NAME) {
      // Two of them could be read as the one or the other.
      if (serverName !== undefined) return MALFORMED;
      serverName = readServerName(bytes.subarray(at + 4, end));
      if (serverName === undefined) return MALFORMED;
    }
    at = end;
  }
  return { outcome: 'read', serverName, protocols };
}

/** A list with exactly one name, which is one of a host: no other kind was ever defined. */
function readServerName(list: Buffer): string | undefined {
  if (endOfVector(list, 0, 2) !== list.length || list[2] !== HOST_NAME) return undefined;
  if (endOfVector(list, 3, 2) !== list.length) return undefined;
  const name = list.toString('latin1', 5).toLowerCase();
  return NAME.test(name) ? name : undefined;
}

/**
 * Where a vector ends whose length stands at `at`.
 * @param width bytes of the length
 * @returns -1 where it does not end within the bytes, or does not begin there
 */
function endOfVector(bytes: Buffer, at: number, width: 1 | 2): number {
  if (at < 0 || at + width > bytes.length) return -1;
  const end = at + width + bytes.readUIntBE(at, width);
  return end <= bytes.length ? end : -1;
}
