import { PilotlightError } from '../model/errors.ts';
import { hashPassword } from '../util/password-hash.ts';
import type { Terminal } from './terminal.ts';

/** Longest password, bytes: it has to fit into an Authorization field with room to spare. */
const MAX_BYTES = 1024;

/** `hash-password`: reads a password, one line, from standard input and prints its hash. @throws PASSWORD_UNUSABLE */
export async function printPasswordHash(terminal: Terminal): Promise<number> {
  const password = await readLine(terminal.input());
  // RFC 7617 §2: a password has no control characters. A browser could not send it.
  if (password.length === 0) throw unusable('there is no password on standard input');
  if (password.length > MAX_BYTES) throw unusable(`the password is longer than ${MAX_BYTES} bytes`);
  if (password.some((byte) => byte < 32 || byte === 127)) throw unusable('the password holds control characters');
  terminal.out(await hashPassword(password));
  return 0;
}

/** The first line, without its end; never much more than a password may have. */
async function readLine(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  let read = Buffer.alloc(0);
  for await (const chunk of input) {
    read = Buffer.concat([read, chunk]);
    if (read.includes(10) || read.length > 2 * MAX_BYTES) break;
  }
  const end = read.indexOf(10);
  const line = end < 0 ? read : read.subarray(0, end);
  return line.at(-1) === 13 ? line.subarray(0, -1) : line;
}

function unusable(why: string): PilotlightError {
  return new PilotlightError('PASSWORD_UNUSABLE', why);
}
