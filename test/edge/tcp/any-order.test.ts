import fc from 'fast-check';
import { expect, test } from 'vitest';
import { at } from '../edge-harness.ts';
import { type Client, Origin, type OriginConnection, quiet, rest, silent, until } from '../wire.ts';
import { sleeping } from './sessions.ts';

const actions = [
  'open',
  'send',
  'answer',
  'end',
  'service-end',
  'reset',
  'service-reset',
  'wake',
  'sleep',
  'turn',
] as const;

/** Does something to one of the connections that are there, chosen by a number. */
function pick<T>(all: readonly T[], by: number): T | undefined {
  return all.length === 0 ? undefined : all[by % all.length];
}

test('whatever happens in whatever order, every session ends once and nothing of it is left', async () => {
  const step = fc.tuple(fc.constantFrom(...actions), fc.nat(20), fc.integer({ min: 1, max: 100_000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50 }), async (steps) => {
      const edge = await sleeping({ policy: { hold: { max: 5 }, concurrency: 3 } });
      const origin = await Origin.listen(silent);
      const clients: Client[] = [];
      const does: Record<(typeof actions)[number], (by: number, size: number) => unknown> = {
        open: async () => void clients.push(await edge.connect()),
        send: (by, size) => pick(clients, by)?.write(Buffer.alloc(size, 'c')),
        answer: (by, size) => pick<OriginConnection>(origin.connections, by)?.write(Buffer.alloc(size, 's')),
        end: (by) => pick(clients, by)?.end(),
        'service-end': (by) => pick(origin.connections, by)?.end(),
        reset: (by) => pick(clients, by)?.socket.resetAndDestroy(),
        'service-reset': (by) => pick(origin.connections, by)?.socket.resetAndDestroy(),
        wake: () => edge.state({ endpoints: [at(origin)] }),
        sleep: () => edge.state({ endpoints: [] }),
        turn: () => rest(1),
      };
      for (const [action, by, size] of steps) await does[action](by, size);
      await quiet(20);
      for (const client of clients) client.socket.resetAndDestroy();
      for (const connection of origin.connections) connection.socket.resetAndDestroy();
      // One that waits and had ended its side before it was reset stays until its hold is over: nothing tells of it.
      await edge.pass(35_000, 5_000);
      await edge.connections(0);
      await until(() => edge.sessions.length === clients.length, 'a record for each');
      await edge.held(0);
      await edge.inFlight(0);
      expect((await edge.service())?.heldBytes ?? 0).toBe(0);
      expect(new Set(edge.sessions.map(({ id }) => id)).size).toBe(clients.length);
      await edge.close();
      origin.close();
    }),
    { numRuns: 25, endOnFailure: true },
  );
}, 120_000);
