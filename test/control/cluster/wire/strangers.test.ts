import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Kind } from '../../../../src/control/cluster/wire/frame.ts';
import { VirtualClock } from '../../../../src/util/virtual-clock.ts';
import { rest, until } from '../../../edge/wire.ts';
import { Member } from './members.ts';
import { Stranger } from './stranger.ts';

test('a member with another secret is told from one of another cluster, on both sides', async () => {
  const a = await Member.start('a');
  a.lead(7);
  const [wrong, other] = [
    await Member.start('b', { secret: 'another secret' }),
    await Member.start('c', { cluster: 'x' }),
  ];
  wrong.wire.relay.follow(a.leader(7));
  other.wire.relay.follow(a.leader(7));
  await wrong.says('CLUSTER_SECRET_WRONG cluster: a at 127.0.0.1:');
  await other.says('CLUSTER_OTHER cluster: a at 127.0.0.1:');
  await a.says('CLUSTER_SECRET_WRONG cluster: 127.0.0.1 is no member of this cluster: it has another secret');
  await a.says(
    'CLUSTER_OTHER cluster: 127.0.0.1 is no member of this cluster: it belongs to a cluster of another name',
  );
  expect(wrong.wire.trouble?.code).toBe('CLUSTER_SECRET_WRONG');
  expect(other.wire.trouble?.code).toBe('CLUSTER_OTHER');
  expect([...wrong.said, ...a.said].join()).not.toContain('another secret ');
});

test('a member of another protocol is refused with both versions, and one of another build is taken', async () => {
  const a = await Member.start('a');
  a.lead(7);
  const [older, other] = [await Stranger.open(a.address), await Stranger.open(a.address)];
  older.say(Kind.HELLO, older.hello({ protocol: 0, build: '0.9.0' }));
  expect(await older.hears(Kind.REFUSED)).toMatchObject({
    code: 'CLUSTER_VERSION',
    message: 'these versions cannot be one cluster: x 0.9.0 speaks protocol 0, a 1.0.0 2',
  });
  await older.over();
  await a.says('CLUSTER_VERSION');
  other.say(Kind.HELLO, other.hello({ build: '2.0.0' }));
  expect(await other.hears(Kind.WELCOME)).toEqual({ build: '1.0.0', member: 'a' });
  other.socket.destroy();
});

test('a member that looks for another one, or has the name of the leader, is refused', async () => {
  const a = await Member.start('a');
  a.lead(7);
  const [lost, twin] = [await Stranger.open(a.address), await Stranger.open(a.address)];
  lost.say(Kind.HELLO, lost.hello({ leader: 'b' }));
  expect(await lost.hears(Kind.REFUSED)).toMatchObject({ code: 'CLUSTER_OTHER' });
  twin.say(Kind.HELLO, twin.hello({ member: 'a' }));
  expect(await twin.hears(Kind.REFUSED)).toMatchObject({
    code: 'CLUSTER_OTHER',
    message: 'another member is named a: each needs a name of its own',
  });
});

test('who does not lead says so, and is asked again until it does', async () => {
  const [a, b] = [await Member.start('a'), await Member.start('b')];
  const edge = b.edge();
  b.wire.relay.follow(a.leader(7));
  await until(() => b.wire.trouble !== undefined, 'a refusal');
  expect(b.wire.trouble?.code).toBe('CLUSTER_UNLED');
  a.lead(7);
  await edge.gets('table');
  expect(b.wire.trouble).toBeUndefined();
});

test('what is no member is turned away: plain bytes, no hello, a frame that is too long, content that makes no sense', async () => {
  const a = await Member.start('a');
  a.lead(7);
  const plain = connect(a.address);
  plain.on('error', () => undefined);
  plain.resume();
  plain.write('GET / HTTP/1.1\r\n\r\n');
  await new Promise((resolve) => plain.once('close', resolve));
  await a.says('it does not speak the language of members');

  const early = await Stranger.open(a.address);
  early.say(Kind.MESSAGE, { type: 'report' });
  await early.over();
  await a.says('a connection that does not begin as those of members');

  const long = await Stranger.open(a.address);
  long.say(Kind.HELLO, { ...long.hello(), more: 'x'.repeat(5000) });
  await long.over();

  const odd = await Stranger.open(a.address);
  odd.say(Kind.HELLO, odd.hello());
  await odd.hears(Kind.WELCOME);
  odd.socket.write(Buffer.from('000000020a000000000100000000000778', 'hex'));
  odd.socket.write('x');
  await odd.over();

  const stale = await Stranger.open(a.address);
  stale.say(Kind.HELLO, stale.hello());
  await stale.hears(Kind.WELCOME);
  stale.say(Kind.GOODBYE, undefined, 0, 6);
  await stale.over();
  expect(a.wire.members).toEqual([]);
});

test('an edge that is not of the member cannot attach in its name', async () => {
  const a = await Member.start('a');
  a.lead(7);
  const x = await Stranger.open(a.address);
  x.say(Kind.HELLO, x.hello());
  await x.hears(Kind.WELCOME);
  x.say(Kind.OPEN, { edge: 'b/edge-1', endable: false }, 1);
  await x.over();
  expect(a.lost).toEqual([]);
});

test('connections that say nothing end after five seconds, and no more than 64 are kept until then', async () => {
  const clock = new VirtualClock();
  const a = await Member.start('a', { clock });
  a.lead(7, clock);
  const crowd: { socket: Socket; isOver: boolean }[] = Array.from({ length: 80 }, () => {
    const each = { socket: connect(a.address), isOver: false };
    each.socket.on('error', () => undefined);
    each.socket.on('close', () => {
      each.isOver = true;
    });
    each.socket.resume();
    return each;
  });
  const over = () => crowd.filter(({ isOver }) => isOver).length;
  await until(() => over() === 16, '16 to be turned away');
  await rest(20);
  expect(over()).toBe(16);
  clock.advance(5001);
  await until(() => over() === 80, 'the end of all');
  const member = await Stranger.open(a.address);
  member.say(Kind.HELLO, member.hello());
  await member.hears(Kind.WELCOME);
  member.socket.destroy();
});

test('a link that is silent for a lease is closed by both sides, and nothing that comes later is taken', async () => {
  const [mine, theirs] = [new VirtualClock(), new VirtualClock()];
  const a = await Member.start('a', { clock: mine });
  const b = await Member.start('b', { clock: theirs });
  a.lead(7, mine);
  const edge = b.edge();
  b.wire.relay.follow(a.leader(7));
  await edge.gets('table');
  // Time passes at the leader alone: to it the member is silent.
  mine.advance(4000);
  await rest(20);
  expect(a.lost).toEqual([]);
  mine.advance(1001);
  edge.link.post({ type: 'demand', service: 'app', held: 1, inFlight: 0 });
  await until(() => a.lost.length > 0, 'the loss');
  expect(a.lost).toEqual(['b/edge-1']);
  expect(a.detached).toEqual(['b/edge-1']);
  expect(a.heard).toEqual([]);
  await until(() => b.wire.trouble !== undefined, 'the loss at the member');
  theirs.advance(100);
  await until(() => edge.types.length === 4, 'another table');
  expect(edge.types).toEqual(['led', 'table', 'led', 'table']);
});
