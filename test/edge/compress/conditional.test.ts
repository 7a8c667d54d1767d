import { describe, expect, test } from 'vitest';
import { answering, ok, type Seen } from '../wire.ts';
import { accepting, compressing, prose } from './compressing.ts';

const TEXT = 'Content-Type: text/plain\r\n';
const TAG = '"v1"';

/** A service that knows its one page by a strong tag (RFC 9110 §13.1). */
function serving({ fields, line }: Seen): string {
  const strongly = (list: string | undefined) => list?.split(', ').includes(TAG) === true;
  const noneMatch = fields['if-none-match']?.[0];
  const match = fields['if-match']?.[0];
  if (match !== undefined && !strongly(match)) return 'HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n';
  if (noneMatch !== undefined && strongly(noneMatch.replaceAll('W/', ''))) {
    return `HTTP/1.1 304 Not Modified\r\nETag: ${TAG}\r\nVary: Origin\r\n\r\n`;
  }
  const isPart = fields['range'] !== undefined && (fields['if-range'] === undefined || strongly(fields['if-range'][0]));
  if (isPart && line.startsWith('GET')) {
    return ok(prose(4000).slice(1000), `${TEXT}ETag: ${TAG}\r\nContent-Range: bytes 1000-3999/4000\r\n`, '206 Part');
  }
  return ok(prose(4000), `${TEXT}ETag: ${TAG}\r\nAccept-Ranges: bytes\r\n`);
}

async function ask(fields: string) {
  const { harness } = await compressing(answering(serving));
  const client = await harness.connect();
  client.get('/', fields);
  return client.answer();
}

describe('a client with a compressed copy', () => {
  const copy = accepting('gzip');

  test('has it by a weak tag', async () => {
    expect((await ask(copy)).fields['etag']).toEqual(['W/"v1"']);
  });

  test('is told that it is fresh, by the same tag', async () => {
    const { status, fields } = await ask(`${copy}If-None-Match: "old", W/"v1"\r\n`);
    expect([status, fields['etag'], fields['vary']]).toEqual([304, ['W/"v1"'], ['Origin, Accept-Encoding']]);
  });

  test('gets no part of what its copy is not of', async () => {
    const { status, fields } = await ask(`${copy}Range: bytes=1000-\r\nIf-Range: W/"v1"\r\n`);
    expect([status, fields['etag'], fields['content-encoding']]).toEqual([200, ['"v1"'], undefined]);
  });

  test('may not change what it knows by that tag alone', async () => {
    expect((await ask(`${copy}If-Match: W/"v1"\r\n`)).status).toBe(412);
  });
});

describe('a client with a copy as the service sent it', () => {
  test('is told that it is fresh, by the tag of the service', async () => {
    const { status, fields } = await ask(`${accepting('gzip')}If-None-Match: "v1"\r\n`);
    expect([status, fields['etag']]).toEqual([304, ['"v1"']]);
  });

  test('gets the part that it asks for, as it is', async () => {
    const { status, fields, text } = await ask(`${accepting('gzip')}Range: bytes=1000-\r\nIf-Range: "v1"\r\n`);
    expect([status, fields['etag'], fields['content-range']]).toEqual([206, ['"v1"'], ['bytes 1000-3999/4000']]);
    expect(text).toBe(prose(4000).slice(1000));
  });
});
