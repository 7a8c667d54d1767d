import { expect, test } from 'vitest';
import { EdgeHarness } from '../edge-harness.ts';
import { serve } from '../route/rules.ts';

test.each([
  ['a PROXY protocol header nobody asked for', Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')],
  ['a byte that begins no method', Buffer.from('"')],
])('%s is refused at its first bytes, not when the time for a head is over', async (_, bytes) => {
  const harness = await EdgeHarness.start();
  const client = await harness.connect();
  client.write(bytes);
  expect((await client.answer()).status).toBe(400);
  expect(await client.untilOver()).toBe('end');
});

test('TLS is refused at its first bytes by an alert', async () => {
  const harness = await EdgeHarness.start();
  const client = await harness.connect();
  client.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]));
  expect(await client.untilOver()).toBe('end');
  expect(client.peek()).toEqual(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a]));
});

test.each([
  ['\r', '\nGET / HTTP/1.1'],
  ['\r\n', 'GET / HTTP/1.1'],
  ['G', 'ET / HTTP/1.1'],
  ['!', ' / HTTP/1.1'],
])('%j may become a request', async (first, rest) => {
  const { harness } = await serve({ '/': undefined });
  const client = await harness.connect();
  client.write(first);
  await harness.taken(client);
  client.write(`${rest}\r\nHost: app.test\r\n\r\n`);
  expect((await client.answer()).status).toBe(200);
});
