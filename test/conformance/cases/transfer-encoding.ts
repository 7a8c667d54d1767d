import type { Case } from '../harness/case.ts';
import { accept, chunked, head, NEXT, NEXT_SEEN, POST_SEEN, post, refuse, stricter } from './make.ts';

const BODY = '5\r\nhello\r\n0\r\n\r\n';
const seen = { ...POST_SEEN, has: ['Transfer-Encoding: chunked'], lacks: ['Content-Length'] };
/** A chunked body under these Transfer-Encoding values. */
const codings = (...values: string[]): string => post(BODY, ...values.map((value) => `Transfer-Encoding: ${value}`));

const obfuscated: [name: string, value: string][] = [
  ['a vertical tab before it', '\x0bchunked'],
  ['a form feed before it', '\x0cchunked'],
  ['a vertical tab behind it', 'chunked\x0b'],
  ['a no-break space before it', '\xa0chunked'],
  ['a no-break space behind it', 'chunked\xa0'],
  ['a NUL in it', 'chun\x00ked'],
  ['a space in it', 'chunk ed'],
  ['in quotes', '"chunked"'],
  ['in brackets', '[chunked]'],
  ['an empty parameter', 'chunked;'],
  ['a parameter', 'chunked;x'],
  ['a parameter with a value', 'chunked;q=1'],
  ['a comma before it', ',chunked'],
  ['a comma behind it', 'chunked,'],
  ['a backslash', 'chunked\\'],
  ['a colon before it', ': chunked'],
  ['a letter like another', 'chun\u212aed'.replace('\u212a', '\xe2\x84\xaa')],
];

export const transferEncoding: Case[] = [
  stricter(
    'Transfer-Encoding before Content-Length',
    [1],
    post(BODY, 'Transfer-Encoding: chunked', 'Content-Length: 5'),
    seen,
  ),
  stricter(
    'Transfer-Encoding after Content-Length',
    [1],
    post(BODY, 'Content-Length: 5', 'Transfer-Encoding: chunked'),
    seen,
  ),
  stricter(
    'Transfer-Encoding with the right Content-Length of the coded body',
    [1],
    post(BODY, `Content-Length: ${BODY.length}`, 'Transfer-Encoding: chunked'),
    seen,
  ),
  stricter(
    'Transfer-Encoding and Content-Length 0, a request in the chunk',
    [1],
    post(`${NEXT.length.toString(16)}\r\n${NEXT}\r\n0\r\n\r\n`, 'Content-Length: 0', 'Transfer-Encoding: chunked'),
    { ...seen, body: NEXT },
  ),
  refuse(
    'Transfer-Encoding and a bad Content-Length',
    [1, 3],
    post(BODY, 'Content-Length: x', 'Transfer-Encoding: chunked'),
  ),
  refuse('chunked is not the last coding', [4], codings('chunked, gzip')),
  refuse('chunked is not the last coding: identity behind it', [4], codings('chunked, identity')),
  refuse('chunked before another in a field of its own', [4], codings('chunked', 'identity')),
  refuse('chunked before an unknown coding in a field of its own', [4], codings('chunked', 'cow')),
  refuse('no chunked at all: gzip', [4, 5], codings('gzip'), 501),
  refuse('an unknown coding', [5], codings('cow'), 501),
  refuse('identity, which is no coding any more', [5], codings('identity'), 501),
  refuse('a coding before chunked', [5], codings('gzip, chunked'), 501),
  refuse('a coding before chunked in a field of its own', [5, 'CVE-2022-32215'], codings('gzip', 'chunked')),
  refuse('identity before chunked', [5], codings('identity, chunked'), 501),
  ...["'chunked'", 'chunkedx', 'xchunked', 'chunke'].map((coding) =>
    refuse(`a coding whose name is nearly chunked: ${coding}`, [5, 8], codings(coding), 501),
  ),
  refuse('chunked twice in a list', [6], codings('chunked, chunked')),
  refuse('chunked twice in two fields', [6], codings('chunked', 'chunked')),
  refuse(
    'Transfer-Encoding in HTTP/1.0',
    [7, 'CVE-2026-2835'],
    head('POST /c HTTP/1.0', 'Host: a', 'Transfer-Encoding: chunked') + BODY,
  ),
  refuse(
    'Transfer-Encoding in HTTP/1.0 with keep-alive',
    [7, 'CVE-2026-2835'],
    head('POST /c HTTP/1.0', 'Host: a', 'Connection: keep-alive', 'Transfer-Encoding: chunked') + BODY,
  ),
  refuse('an empty Transfer-Encoding', [8], codings('')),
  ...obfuscated.map(([name, value]) =>
    refuse(`chunked with ${name}`, [8, 'CVE-2019-18277', 'CVE-2022-32213'], codings(value)),
  ),
  refuse('white space before the colon of Transfer-Encoding', [23], post(BODY, 'Transfer-Encoding : chunked')),
  refuse('a tab before the colon of Transfer-Encoding', [23], post(BODY, 'Transfer-Encoding\t: chunked')),
  refuse('Transfer-Encoding behind a bare CR', [20, 'CVE-2025-23167'], post(BODY, 'X: y\rTransfer-Encoding: chunked')),
  refuse(
    'Transfer-Encoding folded onto a second line, with Content-Length',
    [24, 'CVE-2022-32215'],
    post(BODY, 'Transfer-Encoding:', ' chunked', 'Content-Length: 5'),
  ),
  refuse('an obfuscated Transfer-Encoding beside a good one', [8], codings('chunked', 'x chunked')),
  accept('chunked', [8], codings('chunked'), seen),
  accept('Chunked in odd case becomes chunked', [8], codings('cHuNkEd'), seen),
  accept('white space around chunked', [8], post(BODY, 'Transfer-Encoding:\tchunked \t'), seen),
  accept('the name in odd case', [8], post(BODY, 'tRANSFER-eNCODING: chunked'), seen),
  accept('a request behind a chunked one', [48], chunked(BODY) + NEXT, [seen, NEXT_SEEN]),
  accept(
    'Transfer-Encoding that Connection names frames the message all the same',
    [37],
    post(BODY, 'Connection: transfer-encoding', 'Transfer-Encoding: chunked'),
    seen,
  ),
  accept(
    'Transfer_Encoding does not frame anything',
    [42],
    post('hello', 'Transfer_Encoding: chunked', 'Content-Length: 5'),
    POST_SEEN,
    {
      ours: { lacks: ['transfer_encoding'] },
    },
  ),
  accept(
    'Transfer-Encodin does not frame anything',
    [8],
    post('hello', 'Transfer-Encodin: chunked', 'Content-Length: 5'),
    POST_SEEN,
  ),
];
