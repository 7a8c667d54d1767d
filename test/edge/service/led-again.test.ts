import { expect, test } from 'vitest';
import { at, EdgeHarness, policy, state } from '../edge-harness.ts';
import { answering, Origin, ok, rest, silent } from '../wire.ts';

const MINUTE = 60_000;

/** Another control plane leads the edge, and knows these endpoints. */
function ledBy(edge: EdgeHarness, term: number, change: Parameters<typeof state>[0], of = policy()) {
  edge.send({ type: 'led', term, aloneMs: 9 * MINUTE });
  edge.table(of, { states: [state(change)] });
}

/** Index of what the edge said to the control plane of a term. */
async function sinceTerm(edge: EdgeHarness, term: number): Promise<number> {
  await edge.message('led', (message) => message.term === term);
  return edge.messages.findIndex((message) => message.type === 'led' && message.term === term);
}

test('the next leader is told who waits, as the one before was', async () => {
  const edge = await EdgeHarness.start();
  ledBy(edge, 1, {});
  const client = await edge.connect();
  client.get();
  await edge.held(1);
  expect(edge.all('demand')).toMatchObject([{ held: 1 }]);
  ledBy(edge, 2, {});
  const from = await sinceTerm(edge, 2);
  await edge.message('demand', (message) => edge.messages.indexOf(message) > from);
  expect(edge.all('demand')).toMatchObject([{ held: 1 }, { held: 1 }]);
  // What waited over the change is served by the replica that the second one started.
  const origin = await Origin.listen(answering());
  edge.state({ endpoints: [at(origin, { ours: true })] });
  expect((await client.answer()).status).toBe(200);
});

test('a cordon is acknowledged to the next leader too, with what is in flight, and so is its end', async () => {
  const origin = await Origin.listen(silent);
  const edge = await EdgeHarness.start();
  const view = at(origin, { ours: true });
  ledBy(edge, 1, { endpoints: [view] });
  const client = await edge.connect();
  client.get();
  await edge.inFlight(1);
  edge.state({ endpoints: [{ ...view, state: 'cordoned' }] });
  await edge.message('ack');
  ledBy(edge, 2, { endpoints: [{ ...view, state: 'cordoned' }] });
  const from = await sinceTerm(edge, 2);
  const again = await edge.message('ack', (message) => edge.messages.indexOf(message) > from);
  expect(again).toMatchObject({ endpoint: view.id, inFlight: 1 });
  (await origin.connection()).write(ok());
  await client.answer();
  const drained = await edge.message('drained', (message) => edge.messages.indexOf(message) > from);
  expect(drained.version).toBe(again.version);
});

test('a cordon that the next leader does not know of is void', async () => {
  const origin = await Origin.listen(answering());
  const edge = await EdgeHarness.start();
  const view = at(origin, { ours: true });
  ledBy(edge, 1, { endpoints: [{ ...view, state: 'cordoned' }] });
  await edge.message('ack');
  ledBy(edge, 2, { endpoints: [view] });
  const client = await edge.connect();
  client.get();
  expect((await client.answer()).status).toBe(200);
});

test('probes that the leader before asked for are cancelled: the next one uses the same numbers', async () => {
  const origin = await Origin.listen(silent);
  const edge = await EdgeHarness.start();
  ledBy(edge, 1, {});
  const check = { kind: 'http', path: '/', hostHeader: 'app', statusMin: 200, statusMax: 499 } as const;
  edge.send({
    type: 'probe',
    probe: 'probe-1',
    service: 'app',
    endpoint: 'a',
    host: '127.0.0.1',
    port: origin.port,
    check,
    timeoutMs: 5000,
  });
  const asked = await origin.connection();
  ledBy(edge, 2, {});
  await asked.untilOver();
  await edge.pass(6000, 500);
  expect(edge.all('probed')).toEqual([]);
});

test('slots stay in use until the next leader grants as many', async () => {
  const origin = await Origin.listen(silent);
  const shared = policy({ concurrency: 2, sharesSlots: true });
  const edge = await EdgeHarness.start();
  const view = at(origin, { ours: true });
  ledBy(edge, 1, { endpoints: [view] }, shared);
  edge.send({ type: 'slots', service: 'app', endpoint: view.id, epoch: 3, grant: 2, recall: 0 });
  const client = await edge.connect();
  client.get();
  await edge.inFlight(1);
  ledBy(edge, 2, { endpoints: [view] }, shared);
  const kept = await edge.message('slots', (message) => message.kept !== undefined);
  expect(kept.kept).toEqual([{ endpoint: view.id, count: 2 }]);
  const second = await edge.connect();
  second.get();
  await edge.inFlight(2);
  edge.send({ type: 'slots', service: 'app', endpoint: view.id, epoch: 1, grant: 2, recall: 0 });
  const third = await edge.connect();
  third.get();
  await edge.held(1);
});

test('an edge without a leader holds what would go to replicas of ours after nine minutes, until it is led again', async () => {
  const [own, other] = [await Origin.listen(answering(() => ok('own'))), await Origin.listen(answering())];
  const edge = await EdgeHarness.start();
  const policies = [policy(), policy({ name: 'found' })];
  const routes = [
    { host: 'app.test', path: '/', service: 'app' },
    { host: 'found.test', path: '/', service: 'found' },
  ];
  const states = [
    state({ endpoints: [at(own, { ours: true })], holdTimeoutMs: 20 * MINUTE }),
    state({ service: 'found', endpoints: [at(other)] }),
  ];
  edge.send({ type: 'led', term: 1, aloneMs: 9 * MINUTE });
  edge.table(policies, { routes, states });
  await edge.pass(5 * MINUTE, MINUTE);
  edge.send({ type: 'contact' });
  await rest(1);
  await edge.pass(9 * MINUTE - 2000, MINUTE);
  const warm = await edge.connect();
  warm.get();
  expect((await warm.answer()).body.toString()).toBe('own');
  await edge.pass(3000, 1000);
  const late = await edge.connect();
  late.get();
  await edge.held(1);
  // What others run goes on.
  const found = await edge.connect();
  found.get('/', '', 'found.test');
  expect((await found.answer()).status).toBe(200);
  edge.send({ type: 'led', term: 2, aloneMs: 9 * MINUTE });
  edge.table(policies, { routes, states });
  expect((await late.answer()).body.toString()).toBe('own');
});

test('replicas of ours come back with the contact, where the leader is the same', async () => {
  const own = await Origin.listen(answering());
  const edge = await EdgeHarness.start();
  ledBy(edge, 1, { endpoints: [at(own, { ours: true })], holdTimeoutMs: 20 * MINUTE });
  await edge.pass(10 * MINUTE, MINUTE);
  const late = await edge.connect();
  late.get();
  await edge.held(1);
  edge.send({ type: 'contact' });
  expect((await late.answer()).status).toBe(200);
});

test('an edge that was never led by others than its own control plane is never cut off', async () => {
  const own = await Origin.listen(answering());
  const edge = await EdgeHarness.start();
  edge.state({ endpoints: [at(own, { ours: true })] });
  await edge.pass(20 * MINUTE, MINUTE);
  const client = await edge.connect();
  client.get();
  expect((await client.answer()).status).toBe(200);
});
