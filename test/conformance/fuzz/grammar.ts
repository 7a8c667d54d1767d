import * as fc from 'fast-check';

/** All texts of generators and mutations are Latin-1: one character is one byte. */
const bytesLike = (pattern: RegExp): string[] =>
  Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter((each) => pattern.test(each));

const anyOf = (pattern: RegExp, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...bytesLike(pattern)), minLength, maxLength });

/** RFC 9110 §5.6.2. */
export const token = anyOf(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/, 1, 10);
const value = anyOf(/[\t\x20-\x7e\x80-\xff]/, 0, 20);
const space = fc.constantFrom('', ' ', ' ', ' ', '\t', '  ');

/** RFC 3986 path and query, as much of them as RFC 9112 §3.2 lets into a request line. */
export const originForm = anyOf(/[!$-~]/, 0, 20).map((rest) => `/${rest}`);

/** One field line without its CRLF (RFC 9112 §5), of any name and value or of one of the `lines`. */
export function field(lines: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...lines) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          token.map((name) => `X-${name}`),
          space,
          value,
          space,
        )
        .map(([name, before, text, after]) => `${name}:${before}${text}${after}`),
    },
  );
}

/** What a body may look like to somebody who has lost count of it. */
const CONTENT = [
  'hello',
  '\r\n',
  '0\r\n\r\n',
  '\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
  'x'.repeat(300),
];

export const content = fc.oneof(fc.constantFrom(...CONTENT), anyOf(/[\s\S]/, 0, 30));

const TRAILERS = ['X-Sum: 1', 'X-Sum: 1, 2', 'Content-Length: 3', 'Host: b', 'X-Real-IP: 1.2.3.4', 'x_t:\ty'];
const EXTENSIONS = ['', '', '', ';a', ';a=b', ';a="b c"', ';a=b;c=d'];

interface Chunk {
  data: string;
  zeros: number;
  upper: boolean;
  extension: string;
}

const chunk: fc.Arbitrary<Chunk> = fc.record({
  data: content.filter((data) => data !== ''),
  zeros: fc.constantFrom(0, 0, 0, 1, 3),
  upper: fc.boolean(),
  extension: fc.constantFrom(...EXTENSIONS),
});

/** A body in chunks, with its last chunk and trailers (RFC 9112 §7.1). */
const chunkedBody = fc
  .record({
    chunks: fc.array(chunk, { maxLength: 3 }),
    last: fc.constantFrom('0', '0', '000', '0;a=b'),
    trailers: fc.array(fc.constantFrom(...TRAILERS), { maxLength: 2 }),
  })
  .map(({ chunks, last, trailers }) => {
    const tail = [last, ...trailers, '', ''].join('\r\n');
    return chunks.map(writeChunk).join('') + tail;
  });

function writeChunk({ data, zeros, upper, extension }: Chunk): string {
  const hex = data.length.toString(16);
  return `${'0'.repeat(zeros)}${upper ? hex.toUpperCase() : hex}${extension}\r\n${data}\r\n`;
}

/** Content with the line that frames it. */
export interface FramedBody {
  framing: string[];
  body: string;
}

export const ofKnownLength: fc.Arbitrary<FramedBody> = fc
  .tuple(content, fc.constantFrom('', '', '0', '00'), fc.constantFrom('Content-Length', 'content-length'))
  .map(([body, zeros, name]) => ({ framing: [`${name}: ${zeros}${body.length}`], body }));

export const inChunks: fc.Arbitrary<FramedBody> = fc
  .tuple(chunkedBody, fc.constantFrom('Transfer-Encoding: chunked', 'transfer-encoding:Chunked\t'))
  .map(([body, line]) => ({ framing: [line], body }));

/** A message whose framing line stands somewhere among the others. */
export function writeMessage(
  line: string,
  fields: readonly string[],
  { framing, body }: FramedBody,
  at: number,
): string {
  const place = at % (fields.length + 1);
  const lines = [line, ...fields.slice(0, place), ...framing, ...fields.slice(place)];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
