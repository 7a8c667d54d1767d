/** One HTTP/1.1 message as it stood on the wire, read by the tests' own strict reader. Texts are Latin-1. */
export interface Message {
  line: string;
  /** Names and values as they were sent, without the white space around values. */
  fields: [name: string, value: string][];
  framing: 'none' | 'length' | 'chunked' | 'close';
  body: string;
  /** Chunks of a chunked body, the last one not included. */
  chunks: number;
  trailers: [name: string, value: string][];
  /** What a strict sender would not have written; empty for a canonical message. */
  faults: string[];
}

/** Outcome of reading a text that begins with a message. */
export type Reading =
  | { state: 'whole'; message: Message; end: number }
  /** More bytes must come; `message` is there once its head is. */
  | { state: 'partial'; message: Message | undefined }
  /** No reader could agree on where this message ends; `message` is there where its chunks could be read so far. */
  | { state: 'unreadable'; why: string; message?: Message };

/** What decides how a message is delimited beside its own fields. */
interface ReadingContext {
  /** Method of the request that a response answers; undefined where the message is a request. */
  answers: string | undefined;
  /** Whether the connection has ended behind the text. */
  ended: boolean;
}

const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\0-\x08\x0a-\x1f\x7f]*)$/;

/** Reads the message that `text` begins with. */
export function readMessage(text: string, context: ReadingContext): Reading {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return { state: 'partial', message: undefined };
  const [line = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const message: Message = {
    line,
    fields: [],
    framing: 'none',
    body: '',
    chunks: 0,
    trailers: [],
    faults: [],
  };
  if (!readFields(lines, message.fields)) return { state: 'unreadable', why: `a field of ${JSON.stringify(lines)}` };
  if (!readLine(message, context)) return { state: 'unreadable', why: `the line ${JSON.stringify(line)}` };
  const length = frame(message, context);
  if (typeof length === 'string') return { state: 'unreadable', why: length };
  return readBody(text, headEnd + 4, message, length, context);
}

/** Values of all fields of a name, in order. */
export function valuesOf(fields: readonly [string, string][], name: string): string[] {
  const lower = name.toLowerCase();
  return fields.filter(([each]) => each.toLowerCase() === lower).map(([, value]) => value);
}

/** Without the SP and HTAB around it; in one pass, however many there are. */
export function withoutOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && ' \t'.includes(text[start] as string)) start++;
  while (end > start && ' \t'.includes(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

/** Status of a response line. */
export function statusOf(message: Message): number {
  return Number(message.line.slice(9, 12));
}

function readFields(lines: readonly string[], into: [string, string][]): boolean {
  for (const line of lines) {
    const match = FIELD.exec(line);
    if (match === null) return false;
    into.push([match[1] as string, withoutOws(match[2] as string)]);
  }
  return true;
}

function readLine(message: Message, { answers }: ReadingContext): boolean {
  if (answers === undefined) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP\/1\.1$/.test(message.line)) {
      if (!/^\S+ [\x21-\xff]+ HTTP\/1\.[0-9]$/.test(message.line)) return false;
      message.faults.push(`request line ${JSON.stringify(message.line)}`);
    }
    if (valuesOf(message.fields, 'host').length !== 1) message.faults.push('not exactly one Host');
    return true;
  }
  if (!/^HTTP\/1\.1 [1-5][0-9]{2} [^\0-\x08\x0a-\x1f\x7f]*$/.test(message.line)) {
    if (!/^HTTP\/1\.[0-9] [1-9][0-9]{2}/.test(message.line)) return false;
    message.faults.push(`status line ${JSON.stringify(message.line)}`);
  }
  return true;
}

/** RFC 9112 §6.3. @returns the length of the body, or why it cannot be known */
function frame(message: Message, { answers }: ReadingContext): number | string {
  const lengths = valuesOf(message.fields, 'content-length');
  const codings = valuesOf(message.fields, 'transfer-encoding');
  const status = answers === undefined ? 0 : statusOf(message);
  if (lengths.length + codings.length > 1) message.faults.push('more than one framing field');
  if (answers !== undefined && (answers === 'HEAD' || status < 200 || status === 204 || status === 304)) {
    if (codings.length > 0 || (lengths.length > 0 && status < 205)) {
      if (answers !== 'HEAD' || status < 200) message.faults.push(`framing field in a ${status}`);
    }
    return 0;
  }
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') return `Transfer-Encoding ${codings.join('|')}`;
    if (codings[0] !== 'chunked') message.faults.push(`Transfer-Encoding: ${codings[0]}`);
    message.framing = 'chunked';
    return 0;
  }
  if (lengths.length > 0) {
    const numbers = new Set(lengths.flatMap((value) => value.split(',')).map((each) => digitsOf(withoutOws(each))));
    const [length] = numbers;
    if (numbers.size !== 1 || length === undefined) return `Content-Length ${lengths.join('|')}`;
    if (lengths.some((value) => value !== String(length))) message.faults.push(`Content-Length: ${lengths.join('|')}`);
    message.framing = 'length';
    return length;
  }
  message.framing = answers === undefined ? 'none' : 'close';
  return 0;
}

function digitsOf(text: string): number | undefined {
  return /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

function readBody(text: string, at: number, message: Message, length: number, { ended }: ReadingContext): Reading {
  switch (message.framing) {
    case 'none':
      return { state: 'whole', message, end: at };
    case 'length':
      message.body = text.slice(at, at + length);
      if (message.body.length < length) return { state: 'partial', message };
      return { state: 'whole', message, end: at + length };
    case 'close':
      message.body = text.slice(at);
      return ended ? { state: 'whole', message, end: text.length } : { state: 'partial', message };
    case 'chunked':
      return readChunks(text, at, message);
  }
}

function readChunks(text: string, from: number, message: Message): Reading {
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return { state: 'partial', message };
    const match = /^([0-9a-fA-F]{1,13})([ \t]*;.*)?$/.exec(text.slice(at, lineEnd));
    if (match === null) {
      return { state: 'unreadable', why: `chunk size ${JSON.stringify(text.slice(at, lineEnd))}`, message };
    }
    if (match[2] !== undefined) message.faults.push(`chunk extension ${match[2]}`);
    const size = Number.parseInt(match[1] as string, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    message.body += text.slice(at, at + size);
    if (text.length < at + size + 2) return { state: 'partial', message };
    if (text.slice(at + size, at + size + 2) !== '\r\n') return { state: 'unreadable', why: 'end of a chunk', message };
    message.chunks++;
    at += size + 2;
  }
  if (text.startsWith('\r\n', at)) return { state: 'whole', message, end: at + 2 };
  const end = text.indexOf('\r\n\r\n', at);
  if (end < 0) return { state: 'partial', message };
  if (!readFields(text.slice(at, end).split('\r\n'), message.trailers))
    return { state: 'unreadable', why: 'a trailer', message };
  return { state: 'whole', message, end: end + 4 };
}
