import { expect, test } from 'vitest';
import { rules, serve } from './rules.ts';

test('clients outside of the ranges get 403 with its Proxy-Status, and nothing of them reaches the service', async () => {
  const { harness, seen } = await serve({ '/': rules({ allow: ['127.0.0.2', '10.0.0.0/8'] }) });
  const [inside, outside] = [await harness.connect(undefined, '127.0.0.2'), await harness.connect()];
  inside.get('/in');
  expect((await inside.answer()).status).toBe(200);
  outside.get('/out');
  const answer = await outside.answer();
  expect(answer.status).toBe(403);
  expect(answer.fields['proxy-status']).toEqual(['pilotlight; error=http_request_denied']);
  expect(answer.fields['x-request-id']).toHaveLength(1);
  expect(JSON.parse(answer.text)).toMatchObject({ code: 'FORBIDDEN', source: 'client', retrySafe: false });
  expect(answer.text).not.toMatch(/127\.0\.0|10\.0\.0/);
  expect(seen.map(({ line }) => line)).toEqual(['GET /in HTTP/1.1']);
});

test.each<[chain: string, status: number]>([
  ['10.1.2.3', 200],
  ['203.0.113.1', 403],
  ['10.1.2.3, 203.0.113.1', 403],
  ['203.0.113.1, 10.1.2.3', 200],
  ['10.1.2.3, 127.0.0.9', 200],
  ['2001:db8::5', 200],
  ['2001:db9::5', 403],
  ['::ffff:10.1.2.3', 200],
  ['unknown', 403],
])('behind a trusted proxy the rightmost untrusted address counts: %s → %d', async (chain, status) => {
  const { harness } = await serve(
    { '/': rules({ allow: ['10.0.0.0/8', '2001:db8::/32'] }) },
    { trustedProxies: ['127.0.0.0/8'] },
  );
  const client = await harness.connect();
  client.get('/', `X-Forwarded-For: ${chain}\r\n`);
  expect((await client.answer()).status).toBe(status);
});

test('an untrusted peer cannot say who it is', async () => {
  const { harness } = await serve({ '/': rules({ allow: ['10.0.0.0/8'] }) });
  const client = await harness.connect();
  const claims =
    'X-Forwarded-For: 10.1.2.3\r\nX-Real-IP: 10.1.2.3\r\nForwarded: for=10.1.2.3\r\nClient-IP: 10.1.2.3\r\n';
  client.get('/', claims);
  expect((await client.answer()).status).toBe(403);
});

test('who is not let in wakes nothing, not even with a page that waits', async () => {
  const { harness } = await serve({ '/': rules({ allow: ['10.0.0.0/8'] }) });
  harness.state({ endpoints: [] });
  const client = await harness.connect();
  client.get('/', 'Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n');
  const answer = await client.answer();
  expect(answer.status).toBe(403);
  expect(answer.fields['content-type']).toEqual(['text/html; charset=utf-8']);
  client.get('/.well-known/pilotlight/wait/');
  expect((await client.answer()).status).toBe(403);
  expect(harness.all('demand')).toEqual([]);
});

test('CVE-2025-4366: a 403 to a request with a body leaves the connection in step, or closes it', async () => {
  const { harness, seen } = await serve({ '/': undefined, '/no': rules({ allow: ['10.0.0.0/8'] }) });
  const client = await harness.connect();
  const inside = 'GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n';
  client.write(`POST /no HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${inside.length}\r\n\r\n${inside}`);
  client.get('/after');
  expect((await client.answer('POST')).status).toBe(403);
  const after = await client.answer();
  expect([after.status, after.text]).toEqual([200, '/after']);

  const chunked = await harness.connect();
  chunked.write('POST /no HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
  const refused = await chunked.answer('POST');
  expect([refused.status, refused.fields['connection']]).toEqual([403, ['close']]);
  chunked.write(`0\r\n\r\n${inside}`);
  expect((await chunked.readAll()).toString()).toBe('');
  expect(seen.map(({ line }) => line)).toEqual(['GET /after HTTP/1.1']);
});
