import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { until } from '../../support/until.ts';
import { FakeCluster } from '../fake-secrets.ts';
import { json } from './fake-authority.ts';
import { DAY, HOST, LONG_MS, setUp } from './source-setup.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Two sources with what they have in common, each with a state directory of its own. */
async function twoMembers() {
  const world = await setUp();
  const cluster = new FakeCluster();
  const secrets = [cluster.member(), cluster.member()] as const;
  const folders = ['one', 'two'].map((name) => join(world.folder, name)) as [string, string];
  const sources = [world.make(secrets[0], folders[0]), world.make(secrets[1], folders[1])] as const;
  for (const source of sources) await world.serve(source, world.listener());
  const ordersPlaced = () => world.authority.to('/order').filter(({ path }) => path === '/order').length;
  return { ...world, cluster, secrets, folders, sources, ordersPlaced };
}

/** The certificate that a source serves. */
const idOf = async (source: { renew(): Promise<{ tls?: { certificates: { id: string }[] } | undefined }[]> }) =>
  (await source.renew())[0]?.tls?.certificates[0]?.id;

test('whoever leads orders; the other one answers the authority, serves, keeps a copy, and says who orders', async () => {
  const { cluster, secrets, sources, folders, authority, applied, untilTold, told, ordersPlaced } = await twoMembers();
  expect(authority.asked).toEqual([]);
  expect(told).toEqual([]);
  cluster.lead(secrets[0]);
  await untilTold('certificate-issued');
  await untilTold('certificate-changed');
  await until('both serve it', async () => (await idOf(sources[1])) !== undefined, LONG_MS, 5);
  expect(await idOf(sources[1])).toBe(await idOf(sources[0]));
  expect(ordersPlaced()).toBe(1);
  // One for each member.
  const proving = applied.flat().filter(({ acmeAnswers }) => acmeAnswers !== undefined);
  expect(proving.length).toBeGreaterThanOrEqual(2);
  expect((await sources[1].renew())[0]?.acmeAnswers).toBeUndefined();
  expect(sources.map(({ status }) => status[0]?.order?.by)).toEqual(['member-1', 'member-1']);
  expect(sources[1].status[0]?.order).toMatchObject({ state: 'served', renewAt: null });
  expect(told.map(({ type }) => type)).toEqual(['certificate-ordered', 'certificate-issued', 'certificate-changed']);
  const file = sources[1].facts[0]?.file ?? '';
  expect(file.startsWith(folders[1])).toBe(true);
  await until('a copy is there', () => existsSync(file), LONG_MS, 5);
  expect(readFileSync(file, 'utf8')).toContain('PRIVATE KEY');
});

test('who leads next goes on with the order that was begun, and orders no other', async () => {
  const { cluster, secrets, sources, authority, clock, untilTold, ordersPlaced } = await twoMembers();
  // The first one never comes to an end with its proof.
  authority.interfere = ({ path }) => path.startsWith('/challenge');
  cluster.lead(secrets[0]);
  const isAsked = () => {
    clock.advance(1);
    return authority.to('/challenge').length > 0;
  };
  await until('it is asked for a proof', isAsked, LONG_MS, 5);
  authority.interfere = () => false;
  cluster.lead(secrets[1]);
  await untilTold('certificate-issued');
  expect(ordersPlaced()).toBe(1);
  expect(authority.to('/account').filter(({ path }) => path === '/account')).toHaveLength(1);
  await until('both serve it', async () => (await idOf(sources[0])) !== undefined, LONG_MS, 5);
  expect([...cluster.values.keys()].filter((name) => name.endsWith('.order'))).toEqual([]);
});

test('an order that came to nothing is not placed again by who leads next before its time', async () => {
  const { cluster, secrets, authority, sources, untilTold, ordersPlaced, told, clock } = await twoMembers();
  authority.interfere = ({ path }, response) => {
    if (path !== '/order') return false;
    json(response, 429, { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'later' }, { 'Retry-After': '7200' });
    return true;
  };
  cluster.lead(secrets[0]);
  await untilTold('certificate-failed');
  await until(
    'it is known',
    () => [...cluster.values.keys()].some((name) => name.endsWith(`${HOST}.json`)),
    LONG_MS,
    5,
  );
  cluster.lead(secrets[1]);
  await until('it waits', () => sources[1].status[0]?.order?.failure !== null, LONG_MS, 5);
  for (let i = 0; i < 10; i++) await clock.advanceAsync(60_000);
  expect(ordersPlaced()).toBe(1);
  authority.interfere = () => false;
  clock.advance(2 * 3_600_000);
  await untilTold('certificate-issued');
  expect(told.filter(({ type }) => type === 'certificate-failed')).toHaveLength(1);
});

test('a leader whose right is in doubt asks nothing of the authority until it is not', async () => {
  const { cluster, secrets, authority, clock, untilTold } = await twoMembers();
  secrets[0].hasRight = false;
  cluster.lead(secrets[0]);
  for (let i = 0; i < 20; i++) await clock.advanceAsync(1000);
  expect(authority.asked).toEqual([]);
  secrets[0].hasRight = true;
  clock.advance(1000);
  await untilTold('certificate-issued');
});

test('what a proxy had before it was a member is shared by the first that leads', async () => {
  const { make, serve, listener, untilTold, folder, ordersPlaced, clock, ...world } = await twoMembers();
  const alone = make(undefined, join(folder, 'one'));
  await serve(alone, listener());
  await untilTold('certificate-issued');
  await alone.pause();
  const { cluster, secrets, sources } = world;
  cluster.lead(secrets[0]);
  await until('the other one has it', async () => (await idOf(sources[1])) !== undefined, LONG_MS, 5);
  for (let i = 0; i < 10; i++) await clock.advanceAsync(1000);
  expect(ordersPlaced()).toBe(1);
});

/** An order whose proof did not come to an end before the process that began it let go. */
async function leftInTheMiddle() {
  const world = await setUp();
  const { make, serve, listener, authority, clock } = world;
  authority.interfere = ({ path }) => path.startsWith('/challenge');
  const before = make();
  await serve(before, listener());
  const isAsked = () => {
    clock.advance(1);
    return authority.to('/challenge').length > 0;
  };
  await until('it is asked for a proof', isAsked, LONG_MS, 5);
  await before.pause();
  authority.interfere = () => false;
  const ordersPlaced = () => authority.to('/order').filter(({ path }) => path === '/order').length;
  return { ...world, ordersPlaced };
}

test('an order goes on in the process that replaces this one', async () => {
  const { make, serve, listener, untilTold, ordersPlaced } = await leftInTheMiddle();
  await serve(make(), listener());
  await untilTold('certificate-issued');
  expect(ordersPlaced()).toBe(1);
});

test('what was issued after the process that replaces this one had read its files is not ordered again', async () => {
  const { make, serve, listener, untilTold, authority, clock } = await setUp();
  const [before, after] = [make(), make()];
  await after.equip([listener()]);
  after.follow([listener()]);
  await serve(before, listener());
  await untilTold('certificate-issued');
  await before.pause();
  after.begin();
  await until('it is served', async () => (await idOf(after)) !== undefined, LONG_MS, 5);
  for (let i = 0; i < 10; i++) await clock.advanceAsync(1000);
  expect(await idOf(after)).toBe(await idOf(before));
  expect(authority.to('/order').filter(({ path }) => path === '/order')).toHaveLength(1);
});

test('an order that the authority knows no more is placed anew', async () => {
  const { make, serve, listener, authority, untilTold, ordersPlaced } = await leftInTheMiddle();
  authority.interfere = ({ path }, response) => {
    if (path !== '/order/0') return false;
    json(response, 404, { type: 'urn:ietf:params:acme:error:malformed', detail: 'no such order' });
    return true;
  };
  await serve(make(), listener());
  await untilTold('certificate-issued');
  expect(ordersPlaced()).toBe(2);
});

test('an order that was left behind brings no earlier certificate back at a renewal', async () => {
  const { make, serve, listener, untilTold, served, clock, ordersPlaced, folder } = await leftInTheMiddle();
  const state = join(folder, 'state');
  const path = readdirSync(state, { recursive: true, encoding: 'utf8' }).find((each) => each.endsWith('.order')) ?? '';
  const order = readFileSync(join(state, path));
  const source = make();
  await serve(source, listener());
  await untilTold('certificate-issued');
  const before = served()[0]?.id;
  await source.pause();
  writeFileSync(join(state, path), order);
  source.begin();
  clock.advance(20 * DAY);
  await untilTold('certificate-renewed');
  expect(ordersPlaced()).toBe(2);
  expect(served()[0]?.id).not.toBe(before);
});

test('an order goes on when the configuration is read anew between two of its steps', async () => {
  const { make, serve, listener, untilTold, authority, told } = await setUp();
  const source = make();
  authority.interfere = ({ path }) => {
    if (path === '/order') source.follow([listener()]);
    return false;
  };
  await serve(source, listener());
  await untilTold('certificate-issued');
  expect(told.map(({ type }) => type)).toEqual(['certificate-ordered', 'certificate-issued']);
});

test('what is kept for a host that no route has is removed once it has expired, and not before', async () => {
  const { make, serve, listener, untilTold, clock } = await setUp();
  const source = make();
  await serve(source, listener({ hosts: [HOST, 'old.test'] }));
  await untilTold('certificate-issued', 2);
  const files = source.facts.map(({ file }) => file);
  await serve(source, listener());
  const isThere = () => files.map((file) => existsSync(file));
  await clock.advanceAsync(2 * DAY);
  expect(isThere()).toEqual([true, true]);
  clock.advance(40 * DAY);
  await untilTold('certificate-removed');
  await until('it is gone', () => isThere().filter(Boolean).length === 1, LONG_MS, 5);
  expect(files.filter((file) => existsSync(file))).toEqual([expect.stringContaining(HOST)]);
});
