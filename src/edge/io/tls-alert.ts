/** A fatal alert of TLS as a whole record (RFC 8446 §5.1, §6.2), which clients of every version understand. */
function fatalAlert(description: number): Buffer {
  return Buffer.from([21, 3, 3, 0, 2, 2, description]);
}

/** TLS is not what is spoken here. No client tries an older version of TLS at this, as some do at protocol_version. */
export const UNEXPECTED_MESSAGE = fatalAlert(10);
/** Nothing is served under the name that the client asks for (RFC 6066 §3). */
export const UNRECOGNIZED_NAME = fatalAlert(112);
