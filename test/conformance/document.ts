import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { http2Rows } from './harness/http2-row.ts';
import { listing } from './listing.ts';
import { tables } from './risks.ts';

const FILE = join(import.meta.dirname, '../../docs/conformance.md');

const rowCount = Object.values(tables).flat().length;
const http2Count = Object.entries(tables).flatMap(([risk, rows]) => http2Rows(risk, rows)).length;

const INTRODUCTION = `# Conformance

How the data plane keeps to RFC 9110 and RFC 9112, and what it does with messages that try to make two parties read them
differently. A raw TCP client talks to the real proxy, a raw TCP origin records every byte behind it; no HTTP library is
on either side. Of every case is asserted: the status, or the close; what the origin saw, which is nothing or the message
in canonical form; whether the connection serves another request; that a clean request of another client gets its own
answer; and at the end of each file that no socket and no timer is left.

Every message of the tables is also sent cut in two at every byte, and byte by byte (\`segmentation-1\`, \`segmentation-2\`),
and requests and responses that nobody thought of are made by generators and mutations and compared with what Node's own
HTTP parser makes of the bytes on both sides (\`fuzz-requests\`, \`fuzz-responses\`).

All ${rowCount} rows of the tables are also sent by clients that come through TLS (\`tls\`), with nothing else expected of them
than \`X-Forwarded-Proto: https\`. Clients of HTTP/2 send the ${http2Count} that have a meaning there (\`http2\`).

\`\`\`sh
npx vitest run test/conformance                               # all of it
npm run conformance -- --against haproxy,nginx                # the tables against others, side by side
npm run conformance -- --against haproxy,nginx --write        # and this page anew
\`\`\`

This page is generated.

## Decisions

Where the RFCs leave a choice:

| message | what is done |
|---|---|
| Transfer-Encoding together with Content-Length | 400 |
| a transfer coding other than a single \`chunked\` | 501; 400 where \`chunked\` is not last, twice, or obfuscated |
| equal Content-Lengths | one is passed on |
| absolute target | its authority replaces Host, its path and query are passed on |
| LF without CR, CR without LF, NUL and other controls, folded lines, white space before a colon | 400; 502 in a response, of which white space before a colon is removed |
| HTTP/1.0 response with Transfer-Encoding | 502 |
| TRACE, CONNECT | 405 |
| names that alias ours by underscores; forwarding fields of peers that are not trusted | dropped |
| chunk extensions | read by their grammar (RFC 9112 §7.1.1), dropped; what breaks it, such as a bare semicolon, is 400, or breaks off the answer |
| an answer without Date | gets the time of its receipt; an interim one, 101 included, gets none; a Date that is there is not looked at |
| scheme, port and host in fields of trusted proxies | the first sound one of each is passed on, once; a client that is no address is nobody |
| trailers | passed on, to clients only with \`TE: trailers\`; those that frame, route or authenticate are dropped |
| the path | passed on byte for byte as it was routed on |
| interim answers | passed on, except to HTTP/1.0 |
| more than 100 interim answers to a request | 502 |
| a 101 that was not asked for, or to another protocol than was offered | 502 |
| \`Upgrade: h2c\` | not passed on |
| Via | an option, off by default |
| Max-Forwards of OPTIONS | counted down; 0 is answered here |`;

/** Replaces the generated parts that are given; the others stay as they are in the file. */
export async function writeDocument(comparison: string | undefined): Promise<void> {
  const before = await readFile(FILE, 'utf8').catch(() => '');
  await writeFile(FILE, render(comparison ?? partOf(before, 'comparison') ?? ''));
}

/** Whether the page is what would be generated now, the comparison aside, which only a run can tell. */
export async function isCurrent(): Promise<boolean> {
  const text = await readFile(FILE, 'utf8');
  return text === render(partOf(text, 'comparison') ?? '');
}

function render(comparison: string): string {
  return `${INTRODUCTION}

## Beside other proxies

${mark('comparison', comparison)}

## The checklist

Every line with the names of its tests; each is in \`test/conformance/<risk>.test.ts\`.

${listing()}
`;
}

function mark(name: string, text: string): string {
  return `<!-- ${name} -->\n${text}\n<!-- end of ${name} -->`;
}

function partOf(text: string, name: string): string | undefined {
  const match = new RegExp(`<!-- ${name} -->\\n([^]*?)\\n<!-- end of ${name} -->`).exec(text);
  return match?.[1];
}
