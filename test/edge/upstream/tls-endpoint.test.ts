import { createServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { EdgeHarness } from '../edge-harness.ts';
import { answering, Origin, ok, until } from '../wire.ts';

const ALERT = Buffer.from([0x15, 3, 1, 0, 2, 2, 70]);
const check = { kind: 'http', path: '/', hostHeader: 'app.test', statusMin: 200, statusMax: 499 } as const;

function probe(harness: EdgeHarness, origin: Origin): void {
  const { port } = origin;
  harness.send({
    type: 'probe',
    probe: 'p1',
    service: 'app',
    endpoint: 'app-1@1',
    host: '127.0.0.1',
    port,
    check,
    timeoutMs: 60_000,
  });
}

/** Lets tries follow each other until the probe is over, for so long at most. */
async function outcome(harness: EdgeHarness, ms: number) {
  for (let left = ms; left > 0 && harness.all('probed').length === 0; left -= 50) await harness.pass(50);
  return harness.all('probed')[0];
}

test('a probe of what speaks TLS ends within moments, not with its time', async () => {
  const origin = await Origin.listen(async (connection) => {
    await connection.head();
    connection.write(ALERT);
    connection.end();
  });
  const harness = await EdgeHarness.start();
  probe(harness, origin);
  await until(() => harness.all('probing').length > 0, 'the first try');
  expect(await outcome(harness, 10_000)).toEqual({
    type: 'probed',
    probe: 'p1',
    ok: false,
    reason: 'tls',
    detail: 'the endpoint speaks TLS',
  });
});

test('TLS of another program, which had the port before, does not end a probe', async () => {
  let tries = 0;
  const origin = await Origin.listen(async (connection) => {
    await connection.head();
    if (tries++ === 0) connection.write(ALERT);
    else await answering(() => ok())(connection);
    connection.end();
  });
  const harness = await EdgeHarness.start();
  probe(harness, origin);
  await until(() => harness.all('probing').length > 0, 'the first try');
  origin.script = answering(() => ok());
  expect(await outcome(harness, 10_000)).toMatchObject({ ok: true });
});

/** A server of TLS as most are: it has no certificate here, and closes without a word when it is asked in plain HTTP. */
async function tlsServer(): Promise<Origin & { readonly port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: (server.address() as { port: number }).port } as Origin;
}

test('a probe of what closes without a word asks whether it speaks TLS, and ends', async () => {
  const harness = await EdgeHarness.start();
  probe(harness, await tlsServer());
  await until(() => harness.all('probing').length > 0, 'the first try');
  expect(await outcome(harness, 10_000)).toMatchObject({ ok: false, reason: 'tls', detail: 'the endpoint speaks TLS' });
});

test('a probe of what closes without a word, and speaks no TLS, goes on', async () => {
  const origin = await Origin.listen((connection) => connection.destroy());
  const harness = await EdgeHarness.start();
  probe(harness, origin);
  await until(() => harness.all('probing').length > 0, 'the first try');
  await harness.pass(3000);
  expect(harness.all('probed')).toEqual([]);
  origin.script = answering(() => ok());
  expect(await outcome(harness, 10_000)).toMatchObject({ ok: true });
});

test('a service whose endpoint closes without a word because it speaks TLS: that is said', async () => {
  const harness = await EdgeHarness.ready(await tlsServer());
  const client = await harness.connect();
  client.get();
  expect((await client.answer()).status).toBe(502);
  await until(() => harness.all('bad-answer').length > 0, 'the notice');
  expect(harness.all('bad-answer')[0]?.fault).toBe('the endpoint speaks TLS');
});
