import type { Case } from '../harness/case.ts';
import { reject, truncate } from './make.ts';

const LONG = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const BARE = 'HTTP/1.1 200 OK\r\n\r\nhello';
const hello = { status: 200, body: 'hello' };
const none = { status: 200 };
const old = { send: 'GET /case HTTP/1.0\r\nHost: a\r\n\r\n' };

export const truncation: Case[] = (['close', 'reset'] as const)
  .flatMap((after) => [
    truncate(`half of a Content-Length, then ${after}`, [17], LONG, hello, { after }),
    truncate(
      `nothing of a Content-Length, then ${after}`,
      [17],
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n',
      none,
      { after },
    ),
    truncate(`chunks without the last, then ${after}`, [17], `${CHUNKED}5\r\nhello\r\n`, hello, { after }),
    truncate(`no chunk at all, then ${after}`, [17], CHUNKED, none, { after }),
    truncate(`half a chunk, then ${after}`, [17], `${CHUNKED}5\r\nhel`, { ...none, body: 'hel' }, { after }),
    truncate(`a chunk without its CRLF, then ${after}`, [17], `${CHUNKED}5\r\nhello`, hello, { after }),
    truncate(`half a chunk size, then ${after}`, [17], `${CHUNKED}5\r\nhello\r\n1`, hello, { after }),
    truncate(`the last chunk without its empty line, then ${after}`, [17], `${CHUNKED}5\r\nhello\r\n0\r\n`, hello, {
      after,
    }),
    truncate(`half of the last empty line, then ${after}`, [17], `${CHUNKED}5\r\nhello\r\n0\r\n\r`, hello, { after }),
    truncate(`half of the trailers, then ${after}`, [17], `${CHUNKED}5\r\nhello\r\n0\r\nX-Check: 1\r\n`, hello, {
      after,
    }),
    truncate(`half of a Content-Length to a client of HTTP/1.0, then ${after}`, [17], LONG, hello, { after, ...old }),
    truncate(
      `chunks without the last to a client of HTTP/1.0, then ${after}`,
      [17],
      `${CHUNKED}5\r\nhello\r\n`,
      hello,
      { after, ...old },
    ),
    reject(`half a head, then ${after}`, [17, 46], 'HTTP/1.1 200 OK\r\nContent-Len', { after }),
    reject(`half a status line, then ${after}`, [17, 46], 'HTTP/1.1 20', { after }),
  ])
  .concat([
    truncate('a body until the end of the connection that ends by reset', [17], BARE, hello, { after: 'reset' }),
    truncate('the same to a client of HTTP/1.0', [17], BARE, hello, { after: 'reset', ...old }),
  ]);
