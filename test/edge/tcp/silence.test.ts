import { Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { until } from '../wire.ts';
import { spliced } from './sessions.ts';

describe('a TCP session without a byte', () => {
  test('is ended after timeouts.tunnel, counted from the last byte of either side', async () => {
    const { origin, edge } = await spliced({ policy: { timeouts: { tunnelMs: 10_000 } } });
    const client = await edge.connect();
    const service = await origin.connection();
    await edge.pass(9_000, 500);
    service.write('x');
    await client.readExactly(1);
    await edge.pass(9_500, 500);
    expect(client.ending).toBe('open');
    await edge.pass(1_000, 100);
    await until(() => client.ending === 'end' && service.ending === 'end', 'both ends');
    expect(edge.sessions).toMatchObject([{ ending: 'silent' }]);
  });

  test('is activity until then', async () => {
    const { origin, edge } = await spliced({ policy: { timeouts: { tunnelMs: 10_000, streamMs: 1_000 } } });
    await edge.connect();
    await origin.connection();
    await edge.pass(9_000, 500);
    expect(await edge.service()).toMatchObject({ inFlight: 1, idleForMs: 0 });
    await edge.pass(2_000, 100);
    const report = await edge.service();
    expect(report).toMatchObject({ inFlight: 0 });
    expect(report?.idleForMs).toBeLessThanOrEqual(1_500);
  });

  test('has the kernel look after its client once it lasts', async () => {
    const { origin, edge } = await spliced({ policy: { timeouts: { tunnelMs: 60_000 } } });
    const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive');
    try {
      await edge.connect();
      await origin.connection();
      await edge.pass(9_000, 500);
      expect(keepAlive).not.toHaveBeenCalled();
      await edge.pass(2_000, 500);
      expect(keepAlive).toHaveBeenCalledWith(true);
    } finally {
      keepAlive.mockRestore();
    }
  });

  test('is ended when one side has ended and the other says nothing', async () => {
    const { origin, edge } = await spliced({ policy: { timeouts: { tunnelMs: 10_000 } } });
    const client = await edge.connect();
    const service = await origin.connection();
    client.end();
    await until(() => service.ending === 'end', 'the end at the service');
    await edge.pass(10_500, 500);
    await until(() => client.ending === 'end', 'the end at the client');
    expect(edge.sessions).toMatchObject([{ ending: 'silent' }]);
  });
});
