import { expect, onTestFinished, test } from 'vitest';
import { LinkHub } from '../../../../src/control/link/hub.ts';
import { createEdge } from '../../../../src/edge/edge.ts';
import type { ControlMessage, EdgeMessage } from '../../../../src/model/link.ts';
import { silentLogger } from '../../../../src/model/observe.ts';
import { createChannel } from '../../../../src/util/channel.ts';
import { systemClock } from '../../../../src/util/clock.ts';
import { VirtualClock } from '../../../../src/util/virtual-clock.ts';
import { at, policy, state } from '../../../edge/edge-harness.ts';
import { answering, Client, Origin, until } from '../../../edge/wire.ts';
import { listenSettings } from '../../../support/listen-settings.ts';
import { Member } from './members.ts';

test('an edge serves by the table of a leader that it reaches over the wire', async () => {
  const origin = await Origin.listen(answering());
  const [a, b] = [await Member.start('a'), await Member.start('b')];
  const table = {
    routes: [{ host: undefined, path: '/', service: 'app' }],
    services: [policy()],
    trustedProxies: [],
    heldBytes: 2 ** 20,
  };
  const told = { state: state({ endpoints: [at(origin)] }), content: '1' };
  const reports: string[] = [];
  const ignore = () => undefined;
  const hub = new LinkHub(
    systemClock,
    silentLogger,
    {
      onDemand: ignore,
      onReport: (edge) => void reports.push(edge),
      onLate: ignore,
      onAck: ignore,
      onDrained: ignore,
      onSuspect: ignore,
      onBadAnswer: ignore,
      onUnreachable: ignore,
      onEjected: ignore,
      onDetached: ignore,
      onReturned: ignore,
    },
    () => ({ table, states: [told] }),
  );
  a.wire.relay.lead(7, (edge, link, end) => hub.attach(edge, link, end));
  const [below, above] = createChannel<ControlMessage, EdgeMessage>();
  const edge = createEdge({ link: below, clock: systemClock, logger: silentLogger });
  onTestFinished(() => edge.close());
  b.wire.relay.attach('edge-1', above);
  b.wire.relay.follow(a.leader(7));
  const [address] = await edge.listen([listenSettings()]);
  await until(() => reports.length > 0, 'a report of the edge');
  const client = await Client.open(address?.port as number);
  client.get();
  expect((await client.answer()).body.toString()).toBe('hello');
  expect(reports[0]).toBe('b/edge-1');
  expect(a.wire.members).toMatchObject([{ member: 'b', edges: ['b/edge-1'] }]);
});

test('edges are told how many members there are, from the beginning and whenever that changes, whoever leads', async () => {
  const [a, b] = [await Member.start('a'), await Member.start('b')];
  const first = b.edge();
  b.wire.relay.setMembers(2);
  b.wire.relay.setMembers(2);
  await first.gets('members');
  const next = b.edge('edge-2');
  a.lead(7);
  b.wire.relay.follow(a.leader(7));
  await next.gets('members', 'led', 'table');
  b.wire.relay.setMembers(1);
  const counts = () => next.received.flatMap((message) => (message.type === 'members' ? message.count : []));
  await until(() => counts().length === 2, 'the second count');
  expect(counts()).toEqual([2, 1]);
});

test('an edge attaches to the next leader, and nothing of what it says to the one before reaches that', async () => {
  const [a, b, c] = [await Member.start('a'), await Member.start('b'), await Member.start('c')];
  a.lead(7);
  const edge = c.edge();
  c.wire.relay.follow(a.leader(7));
  await edge.gets('led', 'table');
  edge.link.post({ type: 'demand', service: 'app', held: 1, inFlight: 0 });
  await until(() => a.heard.length === 1, 'the demand');
  b.lead(9);
  c.wire.relay.follow(b.leader(9));
  edge.link.post({ type: 'demand', service: 'app', held: 2, inFlight: 0 });
  await until(() => edge.types.length === 4, 'the second table');
  edge.link.post({ type: 'demand', service: 'app', held: 3, inFlight: 0 });
  await until(() => b.heard.length > 0, 'the demand');
  expect(edge.types).toEqual(['led', 'table', 'led', 'table']);
  expect(b.heard).toMatchObject([{ edge: 'c/edge-1', message: { held: 3 } }]);
  // It was not said that the edge ended: to the leader before it is cut off.
  await until(() => a.lost.length > 0, 'the loss');
  expect(a.lost).toEqual(['c/edge-1']);
});

test('a leader of a lower lock than one that was heard of is not followed', async () => {
  const [a, b, c] = [await Member.start('a'), await Member.start('b'), await Member.start('c')];
  a.lead(7);
  b.lead(9);
  const edge = c.edge();
  c.wire.relay.follow(b.leader(9));
  await edge.gets('table');
  c.wire.relay.follow(a.leader(7));
  c.wire.relay.lead(8, () => expect.unreachable('it does not lead'));
  edge.link.post({ type: 'demand', service: 'app', held: 1, inFlight: 0 });
  await until(() => b.heard.length > 0, 'the demand');
  expect(edge.types).toEqual(['led', 'table']);
  expect(a.heard).toEqual([]);
});

test('the edges of the leader attach to its own control plane', async () => {
  const a = await Member.start('a');
  const edge = a.edge();
  a.lead(3);
  await edge.gets('led', 'table');
  edge.link.post({ type: 'demand', service: 'app', held: 1, inFlight: 0 });
  await until(() => a.heard.length > 0, 'the demand');
  expect(a.heard[0]?.edge).toBe('a/edge-1');
  edge.link.close();
  expect(a.detached).toEqual(['a/edge-1']);
  expect(a.lost).toEqual([]);
});

test('a member that ends in order takes its edges along: nothing is lost', async () => {
  const [a, b] = [await Member.start('a'), await Member.start('b')];
  a.lead(3);
  const edge = b.edge();
  b.wire.relay.follow(a.leader(3));
  await edge.gets('table');
  await b.wire.close();
  await until(() => a.detached.length > 0, 'the end of the edge');
  expect(a.detached).toEqual(['b/edge-1']);
  expect(a.lost).toEqual([]);
});

test('an edge that cannot be ended and does not acknowledge is waited for, and cut off after a lease', async () => {
  const clock = new VirtualClock();
  const [a, b] = [await Member.start('a', { clock }), await Member.start('b')];
  const hub = a.lead(7, clock);
  const edge = b.edge();
  b.wire.relay.follow(a.leader(7));
  await edge.gets('table');
  expect(hub.end('b/edge-1')).toBe(true);
  edge.link.post({
    type: 'ack',
    version: 1,
    service: 'app',
    endpoint: 'e',
    inFlight: 0,
    quiet: 0,
    passive: 0,
    idleForMs: 0,
  });
  await until(() => a.heard.some(({ message }) => message.type === 'ack'), 'the acknowledgement');
  await clock.advanceAsync(5000);
  expect(a.detached).toEqual([]);
  expect(hub.end('b/edge-1')).toBe(true);
  expect(a.detached).toEqual([]);
  edge.link.post({ type: 'drained', version: 1, service: 'app', endpoint: 'e', quiet: 0 });
  await until(() => a.heard.some(({ message }) => message.type === 'drained'), 'that it lives');
  await clock.advanceAsync(5000);
  expect(a.detached).toEqual(['b/edge-1']);
  expect(a.lost).toEqual(['b/edge-1']);
  await a.says('b/edge-1 does not do what it is told');
  await until(() => edge.types.filter((type) => type === 'table').length === 2, 'the table of the link after that');
  expect(hub.edges).toEqual(['b/edge-1']);
});
