import { expect, test } from 'vitest';
import { at, EdgeHarness } from '../edge-harness.ts';
import { Origin, silent } from '../wire.ts';

const ID = /\r\nX-Request-Id: ([\w-]+)/;

test('the answer that opens a tunnel has a request id, the one that the service saw', async () => {
  const origin = await Origin.listen(silent);
  const harness = await EdgeHarness.start();
  harness.state({ endpoints: [at(origin)] });
  const client = await harness.connect();
  client.get('/', 'Connection: Upgrade\r\nUpgrade: foo\r\n');
  const upstream = await origin.connection();
  const seen = await upstream.request();
  upstream.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n');
  const head = await client.head();
  expect(head).toContain(' 101 ');
  expect(head?.match(ID)?.[1]).toBe(seen?.fields['x-request-id']?.[0]);
});

test('so has the stream that a waiting page listens to', async () => {
  const harness = await EdgeHarness.start();
  harness.state({ starting: true });
  const client = await harness.connect();
  client.get('/.well-known/pilotlight/wait/');
  expect(await client.head()).toMatch(ID);
});
