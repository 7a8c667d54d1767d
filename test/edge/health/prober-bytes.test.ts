import { expect, test } from 'vitest';
import type { ProbeRequest } from '../../../src/model/link.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { Origin, type Script, silent } from '../wire.ts';

function order(port: number, send: string, expect: string): ProbeRequest {
  const where = { host: '127.0.0.1', port };
  const check = { kind: 'bytes', send, expect } as const;
  return { type: 'probe', probe: 'p', service: 'app', endpoint: 'e', ...where, check, timeoutMs: 1000 };
}

/** Answers a line with these bytes. */
const answers =
  (...parts: string[]): Script =>
  async (connection) => {
    if ((await connection.readThrough('\r\n')) === undefined) return;
    for (const part of parts) connection.write(part);
  };

test('a replica is ready when it answers as it should, in however many pieces', async () => {
  const origin = await Origin.listen(answers('+PO', 'NG\r\nand more'));
  const harness = await EdgeHarness.start();
  harness.send(order(origin.port, 'PING\r\n', '+PONG'));
  expect(await harness.message('probed')).toMatchObject({ ok: true, host: '127.0.0.1' });
});

test('what it says by itself counts where nothing is sent', async () => {
  const origin = await Origin.listen((connection) => connection.write(Buffer.from([0xff, 0x00, 0x0a])));
  const harness = await EdgeHarness.start();
  harness.send(order(origin.port, '', '\xff\0'));
  expect(await harness.message('probed')).toMatchObject({ ok: true });
});

test('any answer will do where none is named', async () => {
  const origin = await Origin.listen(answers('x'));
  const harness = await EdgeHarness.start();
  harness.send(order(origin.port, 'hello\r\n', ''));
  expect(await harness.message('probed')).toMatchObject({ ok: true });
});

test('another answer is none, and is tried again until it is right', async () => {
  const origin = await Origin.listen(answers('-LOADING\r\n'));
  const harness = await EdgeHarness.start();
  harness.send(order(origin.port, 'PING\r\n', '+PONG'));
  const told = await harness.message('probing');
  expect(told.result).toBe('an answer that is not what ready.tcp.expect says');
  origin.script = answers('+PONG\r\n');
  await harness.pass(500);
  expect(await harness.message('probed')).toMatchObject({ ok: true });
});

test('one that accepts and says nothing, or closes, is not ready', async () => {
  const origin = await Origin.listen(silent);
  const harness = await EdgeHarness.start();
  harness.send(order(origin.port, 'PING\r\n', '+PONG'));
  await origin.connection();
  await harness.pass(1200);
  expect(await harness.message('probed')).toMatchObject({ ok: false, reason: 'timeout' });
  const closing = await Origin.listen((connection) => connection.end());
  harness.send({ ...order(closing.port, 'PING\r\n', '+PONG'), probe: 'q' });
  expect(await harness.message('probing', ({ probe }) => probe === 'q')).toMatchObject({
    result: 'the connection was closed without an answer',
  });
});

test('the first session gets a connection on which nothing was said', async () => {
  const origin = await Origin.listen(answers('+PONG\r\n'));
  const listen = { tcp: { service: 'app', sni: [] } };
  const harness = await EdgeHarness.start(policy({ isTcp: true }), { routes: [] }, {}, listen);
  const client = await harness.connect();
  client.write('first');
  await harness.held(1);
  harness.send(order(origin.port, 'PING\r\n', '+PONG'));
  await harness.message('probed');
  const before = origin.connections.length;
  harness.state({ endpoints: [at(origin, { id: 'e' })] });
  const used = await origin.connection(before - 1);
  expect((await used.readExactly(5)).toString()).toBe('first');
  expect(origin.connections).toHaveLength(before);
});
