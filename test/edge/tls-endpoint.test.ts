import { expect, test } from 'vitest';
import { EdgeHarness } from './edge-harness.ts';
import { answering, Origin, ok, until } from './wire.ts';

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
