import { type Message, readMessage, statusOf, withoutOws } from '../harness/message.ts';
import type { ResponseMeaning } from './meaning.ts';
import { readResponseByNode } from './node-responses.ts';

/**
 * What a server's bytes mean, behind which its connection ends: to Node's parser, or where Node refuses what RFC 9112
 * lets a recipient read (a length beside a transfer coding or among the trailers) to the tests' own reader.
 * Undefined: nobody can read it.
 */
export async function readResponse(text: string, method: string): Promise<ResponseMeaning | undefined> {
  const plain = withoutSpaces(text);
  const read = await readResponseByNode(plain, method);
  if (read !== undefined && !read.refused) return read;
  return readByOwn(plain, method) ?? read;
}

/** Whether the tests' own reader finds the end of the response without the end of its connection. */
export function endsByItself(text: string, method: string): boolean {
  let rest = withoutSpaces(text);
  for (;;) {
    const reading = readMessage(rest, { answers: method, ended: false });
    if (reading.state !== 'whole') return false;
    const status = statusOf(reading.message);
    if (status >= 200 || status === 101) return true;
    rest = rest.slice(reading.end);
  }
}

/**
 * White space before a colon has to be removed from the head of a response (RFC 9112 §5.1), and that behind a value is
 * no part of it (§5): Node refuses the one, and does not know `chunked` with a tab behind it.
 */
function withoutSpaces(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return text;
  const lines = text.slice(0, end).split('\r\n').map(withoutSpacesInLine);
  const rest = text.slice(end + 4);
  return `${lines.join('\r\n')}\r\n\r\n${/^HTTP\/1\.\d 1/.test(text) ? withoutSpaces(rest) : rest}`;
}

function withoutSpacesInLine(line: string): string {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  if (colon < 0 || /^[ \t]|^HTTP\//.test(line)) return line;
  return `${withoutOws(name)}:${withoutOws(line.slice(colon + 1))}`;
}

function readByOwn(text: string, method: string): ResponseMeaning | undefined {
  const interim: ResponseMeaning['interim'] = [];
  let rest = text;
  for (;;) {
    const reading = readMessage(rest, { answers: method, ended: true });
    if (reading.message === undefined) return undefined;
    const { message } = reading;
    if (statusOf(message) === 101) return undefined;
    if (statusOf(message) < 200) {
      interim.push(lineOf(message));
      if (reading.state !== 'whole') return undefined;
      rest = rest.slice(reading.end);
      continue;
    }
    const { body, trailers } = message;
    const ending = reading.state === 'whole' ? 'complete' : 'truncated';
    return { ...lineOf(message), body, trailers, interim, ending };
  }
}

function lineOf(message: Message): Pick<ResponseMeaning, 'status' | 'reason' | 'fields'> {
  return { status: statusOf(message), reason: message.line.slice(13), fields: message.fields };
}
