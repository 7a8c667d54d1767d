import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { UpgradeRefusal } from '../../src/cli/upgrade-refusal.ts';
import { until } from '../support/until.ts';

/** Ports that fetch refuses to ask, as browsers do: more than one, as somebody may have taken one. */
const REFUSED_BY_FETCH = [10_080, 6000, 6665, 6666, 6667, 6668, 6669, 6697];

/** Listens on one of the ports, the first that is free. @returns where */
async function listen(server: Server, ports: readonly number[]): Promise<string> {
  for (const port of ports) {
    server.listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
      return `http://127.0.0.1:${port}`;
    } catch {
      // The next one, then.
    }
  }
  throw new Error('none of the ports is free');
}

test('it listens on whatever port the admin API has, and reads an event that comes in pieces', async () => {
  const streams: ServerResponse[] = [];
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    asked.push([request.url, request.headers.authorization]);
    response.write(': listening\n\n');
    streams.push(response);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = await listen(server, REFUSED_BY_FETCH);
  const refusal = new UpgradeRefusal();
  const done = new AbortController();
  await refusal.listen({ url, token: 'secret' }, done.signal);
  expect(asked).toEqual([['/v1/events', 'Bearer secret']]);
  for (const piece of [
    'event: waking\ndata: {"message":"no"}\n\nevent: upgrade-f',
    'ailed\ndata: {"message":"it is',
    ' so"}\n\n',
  ])
    streams[0]?.write(piece);
  await until('the reason', () => refusal.reason !== undefined);
  expect(refusal.reason).toBe('it is so');
});

test('where nothing listens, it listens to nothing, and that is no failure', async () => {
  const refusal = new UpgradeRefusal();
  await refusal.listen({ url: 'http://127.0.0.1:1', token: undefined }, new AbortController().signal);
  expect(refusal.reason).toBeUndefined();
});
