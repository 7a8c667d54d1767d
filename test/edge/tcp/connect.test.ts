import { describe, expect, test } from 'vitest';
import { at } from '../edge-harness.ts';
import { BlackHole, deadPort, Origin, silent, until } from '../wire.ts';
import { sleeping, spliced } from './sessions.ts';

describe('a TCP session that is connected', () => {
  test('goes to another endpoint when one refuses, and keeps what it sent', async () => {
    const origin = await Origin.listen(silent);
    const edge = await sleeping({ policy: { balance: 'round-robin', wakeable: false } });
    edge.state({ endpoints: [at({ port: await deadPort() }), at(origin)] });
    for (let index = 0; index < 4; index++) {
      const client = await edge.connect();
      client.write('hello');
      expect((await (await origin.connection(index)).readExactly(5)).toString()).toBe('hello');
    }
    expect(await edge.sum('retries')).toBe(1);
    expect(edge.all('suspect')).toMatchObject([{ cause: 'refused' }]);
  });

  test('goes to another endpoint when one does not accept in time', async () => {
    const hole = await BlackHole.open();
    const origin = await Origin.listen(silent);
    const edge = await sleeping({ policy: { balance: 'hash', hashOn: { kind: 'client' }, wakeable: false } });
    edge.state({ endpoints: [at(hole, { weight: 1000 }), at(origin, { backup: true })] });
    await edge.connect();
    await edge.inFlight(1);
    await edge.pass(2_200);
    await origin.connection();
    expect(edge.all('suspect')).toMatchObject([{ cause: 'timeout' }]);
  });

  test('ends in order when no endpoint accepts', async () => {
    const edge = await sleeping({ policy: { wakeable: false } });
    edge.state({ endpoints: [at({ port: await deadPort() })] });
    const client = await edge.connect();
    await until(() => client.ending === 'end', 'the end');
    expect(edge.sessions).toMatchObject([{ ending: 'refused', refusal: 'CONNECT_REFUSED' }]);
  });

  test('waits for a start when the last replica is found dead', async () => {
    const edge = await sleeping();
    edge.state({ endpoints: [at({ port: await deadPort() }, { ours: true })] });
    const client = await edge.connect();
    client.write('hello');
    await edge.held(1);
    const origin = await Origin.listen(silent);
    edge.state({ endpoints: [at(origin)] });
    expect((await (await origin.connection()).readExactly(5)).toString()).toBe('hello');
  });

  test('keeps an endpoint from new sessions that refuses again and again', async () => {
    const origin = await Origin.listen(silent);
    const outlier = { consecutive: 2, intervalMs: 60_000, ejectMs: 30_000, maxEjectMs: 300_000, maxShare: 0.5 };
    const edge = await sleeping({ policy: { balance: 'round-robin', outlier, wakeable: false } });
    edge.state({ endpoints: [at({ port: await deadPort() }), at(origin)] });
    for (let round = 0; round < 6 && edge.all('ejected').length === 0; round++) {
      await edge.connect();
      await edge.inFlight(round + 1);
      await edge.pass(1_100, 1_100);
    }
    expect(edge.all('ejected')).toMatchObject([{ failures: 2, why: 'connection refused' }]);
  });

  test('goes to the endpoint with the fewest', async () => {
    const origins = [await Origin.listen(silent), await Origin.listen(silent)];
    const edge = await sleeping();
    edge.state({ endpoints: origins.map((origin) => at(origin)) });
    for (let count = 1; count <= 8; count++) {
      await edge.connect();
      await edge.inFlight(count);
    }
    expect(origins.map(({ connections }) => connections.length)).toEqual([4, 4]);
  });

  test('stays where it is when its endpoint is cordoned; others go elsewhere', async () => {
    const { origin, edge } = await spliced();
    const other = await Origin.listen(silent);
    const client = await edge.connect();
    const service = await origin.connection();
    edge.state({ endpoints: [at(origin, { state: 'cordoned' }), at(other)] });
    expect(await edge.message('ack')).toMatchObject({ inFlight: 1, quiet: 0, passive: 0 });
    await edge.connect();
    await other.connection();
    client.write('still here');
    expect((await service.readExactly(10)).toString()).toBe('still here');
    expect(edge.all('drained')).toEqual([]);
    client.end();
    service.end();
    await edge.message('drained');
  });

  test('is ended in order when the drain of its endpoint is over', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    const service = await origin.connection();
    edge.state({ endpoints: [at(origin, { state: 'closing' })] });
    await until(() => client.ending === 'end' && service.ending === 'end', 'both ends');
    expect(edge.sessions).toMatchObject([{ ending: 'retired' }]);
  });
});
