import { describe, expect, test } from 'vitest';
import { Http2Client } from '../client/http2/http2-client.ts';
import { answer, edgeBefore, Http2Origin, takeBack } from '../upstream/http2/http2-origin.ts';
import { accepting, compression, decoded, prose } from './compressing.ts';

const compress = compression();

describe('content of a service that speaks HTTP/2', () => {
  test.each([
    ['small', 3000],
    ['large', 1_000_000],
  ])('that is %s comes whole, to clients of either version', async (_, size) => {
    const origin = await Http2Origin.listen(answer(prose(size), { 'content-type': 'text/plain', etag: '"a"' }));
    const edge = await edgeBefore([origin], { compress });
    const client = await edge.connect();
    for (let i = 0; i < 2; i++) {
      client.get('/', accepting('gzip'));
      const { fields, body, complete } = await client.answer();
      expect([complete, fields['content-encoding'], fields['etag']]).toEqual([true, ['gzip'], ['W/"a"']]);
      expect(decoded('gzip', body).toString()).toBe(prose(size));
    }
    const stream = (await Http2Client.open(edge.port)).send({ 'accept-encoding': 'zstd' });
    expect((await stream.answer()).reset).toBe(0);
    expect(decoded('zstd', stream.body).toString()).toBe(prose(size));
  });

  test('that it takes back is seen to be no whole one', async () => {
    const origin = await Http2Origin.listen(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'text/plain' });
      stream.write(prose(100_000), () => takeBack(stream, 2));
    });
    const edge = await edgeBefore([origin], { compress });
    const client = await edge.connect();
    client.get('/', accepting('gzip'));
    expect((await client.answer()).complete).toBe(false);
    await edge.inFlight(0);
  });

  test('of gRPC is never compressed', async () => {
    const origin = await Http2Origin.listen(answer(prose(5000), { 'content-type': 'application/grpc+json' }));
    const edge = await edgeBefore([origin], { compress: compression({ types: ['*/*'] }) });
    const client = await Http2Client.open(edge.port);
    const { fields, text } = await client.get('/', { 'accept-encoding': 'gzip', te: 'trailers' });
    expect([fields['content-encoding'], fields['vary'], text]).toEqual([undefined, undefined, prose(5000)]);
  });
});
