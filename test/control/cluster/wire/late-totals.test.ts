import { expect, test } from 'vitest';
import { LateReports } from '../../../../src/control/cluster/wire/late-totals.ts';
import type { EdgeReport, ServiceReport } from '../../../../src/model/link.ts';
import { until } from '../../../edge/wire.ts';
import { Member } from './members.ts';

const rejected = { full: 1, bytes: 0, client: 0, deadline: 2, failed: 0, denied: 0 };

function serviceReport(change: Partial<ServiceReport> = {}): ServiceReport {
  return {
    service: 'app',
    requests: 3,
    arrivals: 3,
    codes: [503, 1, 200, 2],
    completions: 3,
    good: 2,
    errors: 0,
    resets: 0,
    shed: 1,
    retries: 1,
    inFlight: 0,
    passive: 0,
    loadMs: 10,
    queued: [],
    held: 0,
    heldBytes: 0,
    holdRejected: rejected,
    idleForMs: 0,
    ttfb: [4, 1, 7, 2],
    total: [5, 3],
    endpoints: [],
    ...change,
  };
}

function report(change: Partial<EdgeReport> = {}): EdgeReport {
  const services = [serviceReport()];
  return {
    type: 'report',
    collect: null,
    spanMs: 1000,
    services,
    connections: 1,
    unrouted: [404, 1],
    accessLost: 2,
    ...change,
  };
}

test('reports add up to one of what is counted, which begins anew when it was taken', () => {
  const late = new LateReports();
  expect(late.take()).toBeUndefined();
  const sessions = { ended: { ended: 1 }, bytesIn: 5, bytesOut: 6 } as const;
  const compression = { coded: { gzip: { answers: 1, bytesIn: 9, bytesOut: 3 } }, refused: 1 };
  late.add(report({ handshakes: { resumed: 2 } }));
  late.add(
    report({
      handshakes: { resumed: 1, full: 1 },
      sessions: sessions as never,
      services: [
        serviceReport({ codes: [200, 5], ttfb: [7, 1], sessions: sessions as never, compression }),
        serviceReport({ service: 'other', compression }),
      ],
    }),
  );
  late.add(report({ services: [serviceReport({ compression, sessions: sessions as never })] }));
  const totals = late.take();
  expect(totals).toMatchObject({
    type: 'late',
    unrouted: [404, 3],
    accessLost: 6,
    handshakes: { resumed: 3, full: 1 },
    sessions,
  });
  const [app, other] = totals?.services ?? [];
  expect(app).toEqual({
    service: 'app',
    codes: [503, 2, 200, 9],
    ttfb: [4, 2, 7, 5],
    total: [5, 9],
    retries: 3,
    holdRejected: { ...rejected, full: 3, deadline: 6 },
    sessions: { ended: { ended: 2 }, bytesIn: 10, bytesOut: 12 },
    compression: { coded: { gzip: { answers: 2, bytesIn: 18, bytesOut: 6 } }, refused: 2 },
  });
  expect(other?.codes).toEqual([503, 1, 200, 2]);
  expect(late.take()).toBeUndefined();
});

test('what an edge reports while nobody leads it is told to the next leader, once', async () => {
  const [a, b] = [await Member.start('a'), await Member.start('b')];
  const edge = b.edge();
  edge.link.post(report());
  edge.link.post(report());
  a.lead(7);
  b.wire.relay.follow(a.leader(7));
  await edge.gets('table');
  edge.link.post(report());
  await until(() => a.heard.some(({ message }) => message.type === 'report'), 'a report');
  const types = a.heard.map(({ message }) => message.type);
  expect(types).toEqual(['late', 'report']);
  expect(a.heard[0]?.message).toMatchObject({
    unrouted: [404, 2],
    services: [{ service: 'app', codes: [503, 2, 200, 4] }],
  });
});
