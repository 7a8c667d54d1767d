import { expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, Origin, ok, quiet } from '../wire.ts';

const TWICE = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
const outlier = { consecutive: 5, intervalMs: 30_000, ejectMs: 30_000, maxEjectMs: 300_000, maxShare: 0.5 };

const exporting = () => answering(({ line }) => (line.includes('/export') ? TWICE : ok()));

async function statuses(harness: EdgeHarness, path: string, count: number): Promise<number[]> {
  const client = await harness.connect();
  const found = new Set<number>();
  for (let i = 0; i < count; i++) {
    client.get(path);
    found.add((await client.answer()).status);
  }
  return [...found];
}

test.each<[fault: string, answer: string]>([
  ['Transfer-Encoding twice', TWICE],
  ['Transfer-Encoding twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n'],
  ['unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
  ['Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['two Content-Length fields', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ['invalid Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'],
  ['invalid status line', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['folded line', 'HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\n\r\n'],
  ['bare LF', 'HTTP/1.1 200 OK\nA: 1\n\n'],
  ['head too long', `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(70_000)}\r\n\r\n`],
  ['too many fields', `HTTP/1.1 200 OK\r\n${'A: 1\r\n'.repeat(300)}\r\n`],
  ['no HTTP/1 answer', '\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05'],
  ['no HTTP/1 answer', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['no HTTP/1 answer', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['the endpoint speaks TLS', '\x15\x03\x01\x00\x02\x02\x46'],
  ['too many interim answers', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(101)],
  ['101 that was not asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
])('the record and the notice of a 502 name the endpoint and what its answer breaks: %s', async (fault, answer) => {
  const origin = await Origin.listen(answering(() => Buffer.from(answer, 'latin1')));
  const harness = await EdgeHarness.ready(origin);
  expect(await statuses(harness, '/', 1)).toEqual([502]);
  const address = `127.0.0.1:${origin.port}`;
  expect(harness.accessed[0]).toMatchObject({ refusal: 'BAD_RESPONSE', reason: fault, endpoint: address, status: 502 });
  expect(harness.all('bad-answer')).toEqual([{ type: 'bad-answer', service: 'app', address, fault, count: 1 }]);
});

test('an alert of TLS is known when it comes byte by byte', async () => {
  const origin = await Origin.listen(async (connection) => {
    await connection.head();
    for (const byte of '\x15\x03\x01') {
      connection.write(byte);
      await quiet(5);
    }
  });
  const harness = await EdgeHarness.ready(origin);
  expect(await statuses(harness, '/', 1)).toEqual([502]);
  expect(harness.all('bad-answer')[0]?.fault).toBe('the endpoint speaks TLS');
});

test('a body that breaks off the answer is told, too', async () => {
  const origin = await Origin.listen(answering(() => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;\r\nok'));
  const harness = await EdgeHarness.ready(origin);
  const client = await harness.connect();
  client.get();
  expect((await client.answer()).complete).toBe(false);
  expect(harness.accessed[0]).toMatchObject({
    status: 200,
    ending: 'upstream-broke',
    refusal: undefined,
    reason: 'invalid chunk extension',
  });
  expect(harness.all('bad-answer')[0]?.fault).toBe('invalid chunk extension');
});

test('one bad path ejects no more than one of two endpoints, with the reason; the others’ requests are served', async () => {
  const origins = [await Origin.listen(exporting()), await Origin.listen(exporting())];
  const harness = await EdgeHarness.ready(origins, { outlier });
  expect(await statuses(harness, '/export', 40)).toEqual([502]);
  expect(await statuses(harness, '/', 20)).toEqual([200]);
  const [ejected, ...more] = harness.all('ejected');
  expect(more).toEqual([]);
  expect(ejected).toMatchObject({ service: 'app', forMs: 30_000, failures: 5, why: 'Transfer-Encoding twice' });
  expect(origins.map(({ port }) => `127.0.0.1:${port}`)).toContain(ejected?.address);
});

test('the same fault of an endpoint is told once a minute, with how often it occurred', async () => {
  const origin = await Origin.listen(exporting());
  const harness = await EdgeHarness.start(policy());
  harness.state({ endpoints: [at(origin)] });
  await statuses(harness, '/export', 20);
  expect(harness.all('bad-answer').map(({ count }) => count)).toEqual([1]);
  harness.clock.advance(61_000);
  await statuses(harness, '/export', 2);
  expect(harness.all('bad-answer').map(({ count }) => count)).toEqual([1, 20]);
});

test.each([
  ['status 500', ok('no', '', '500 Internal Server Error')],
  ['the connection was closed before the end of the answer', ''],
])('an ejection names the last failure: %s', async (why, answer) => {
  const origins = await Promise.all(
    [0, 1].map(() =>
      Origin.listen(async (connection) => {
        await connection.request();
        connection.write(answer);
        connection.end();
      }),
    ),
  );
  const harness = await EdgeHarness.ready(origins, { outlier, retries: { max: 0, budget: 0, idempotent: false } });
  await statuses(harness, '/', 20);
  expect(harness.all('ejected')[0]?.why).toBe(why);
});

test('who says that it has too much to do is not ejected for it: the others would have to do still more', async () => {
  const origins = await Promise.all(
    [0, 1].map(() =>
      Origin.listen(async (connection) => {
        await connection.request();
        connection.write(ok('no', '', '503 Service Unavailable'));
        connection.end();
      }),
    ),
  );
  const harness = await EdgeHarness.ready(origins, { outlier, retries: { max: 0, budget: 0, idempotent: false } });
  await statuses(harness, '/', 20);
  expect(harness.all('ejected')).toEqual([]);
});
