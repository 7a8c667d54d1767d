import { expect, test } from 'vitest';
import { until } from '../../../edge/wire.ts';
import { Member } from './members.ts';

function copies(member: Member) {
  const came: [string, string][] = [];
  member.wire.files.onFile((path, content) => void came.push([path, Buffer.from(content).toString()]));
  return came;
}

test('files of the leader come to its members, now and as they change, and none twice', async () => {
  const [a, b] = [await Member.start('a'), await Member.start('b')];
  const came = copies(b);
  a.lead(7);
  const large = 'x'.repeat(1_000_000);
  a.wire.files.ship('learnt/app.json', Buffer.from('one'));
  a.wire.files.ship('journal/1', Buffer.from(large));
  a.wire.files.ship('empty', Buffer.alloc(0));
  b.wire.relay.follow(a.leader(7));
  await until(() => came.length === 3, 'three files');
  expect(came).toEqual([
    ['learnt/app.json', 'one'],
    ['journal/1', large],
    ['empty', ''],
  ]);
  a.wire.files.ship('learnt/app.json', Buffer.from('one'));
  a.wire.files.ship('learnt/app.json', Buffer.from('two'));
  await until(() => came.length === 4, 'the change');
  expect(came[3]).toEqual(['learnt/app.json', 'two']);
});

test('the next leader sends only what differs from what a member has', async () => {
  const [a, b, c] = [await Member.start('a'), await Member.start('b'), await Member.start('c')];
  const came = copies(b);
  a.lead(7);
  a.wire.files.ship('same', Buffer.from('1'));
  a.wire.files.ship('other', Buffer.from('2'));
  b.wire.relay.follow(a.leader(7));
  await until(() => came.length === 2, 'both files');
  c.lead(9);
  c.wire.files.ship('same', Buffer.from('1'));
  c.wire.files.ship('other', Buffer.from('3'));
  b.wire.relay.follow(c.leader(9));
  await until(() => came.length === 3, 'the one that differs');
  expect(came[2]).toEqual(['other', '3']);
});
