import { expect, test } from 'vitest';
import type { ControlMessage, EdgeMessage } from '../../../src/model/link.ts';
import { createChannel } from '../../../src/util/channel.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

test('what happened while nobody led an edge is counted, and nothing is decided by it', async () => {
  const world = await World.started([testService('a')]);
  const [mine, theirs] = createChannel<EdgeMessage, ControlMessage>();
  world.control.attach('edge-2', mine);
  const holdRejected = { full: 0, bytes: 0, client: 0, deadline: 2, failed: 0, denied: 0 };
  const counted = { codes: [200, 400], total: [5, 400], ttfb: [], retries: 0, holdRejected };
  theirs.post({
    type: 'late',
    unrouted: [404, 7],
    accessLost: 1,
    services: [
      { service: 'a', ...counted },
      { service: 'gone', ...counted },
    ],
  });
  await world.run(2000);
  const requests = (service: string, code: string) => world.metrics.get('pilotlight_requests_total', { service, code });
  expect([requests('a', '200'), requests('-', '404'), requests('gone', '200')]).toEqual([400, 7, 0]);
  expect(world.metrics.get('pilotlight_hold_rejected_total', { service: 'a', reason: 'deadline' })).toBe(2);
  const { state, perSecond } = await world.status('a');
  expect([state, perSecond.arrivals, world.runtime.starts]).toEqual(['asleep', 0, 0]);
});

test('an edge that goes takes along what it had of services that sleep, and of those that do not', async () => {
  const world = await World.started([testService('a'), testService('b')]);
  const edge = world.addEdge('edge-2');
  edge.request('a', { bodyMs: 60_000 });
  await world.run(2500);
  expect((await world.status('a')).inFlight).toBe(1);
  edge.die();
  await world.run(2500);
  expect((await world.status('a')).inFlight).toBe(0);
  expect((await world.status('b')).state).toBe('asleep');
  expect(world.errors).toEqual([]);
});
