import { expect, test } from 'vitest';
import { HoldBack } from '../../../src/control/cluster/hold-back.ts';
import type { ControlMessage, EdgeMessage } from '../../../src/model/link.ts';
import { createChannel } from '../../../src/util/channel.ts';

const table = (version: number): ControlMessage => ({
  type: 'table',
  version,
  table: { routes: [], services: [], trustedProxies: [], heldBytes: 0 },
  states: [],
});
const service = (version: number): ControlMessage => ({
  type: 'service',
  version,
  state: { service: 'app', endpoints: [], failures: version } as never,
});

async function heldBack() {
  const holdBack = new HoldBack();
  const [edge, control] = createChannel<ControlMessage, EdgeMessage>();
  const got: string[] = [];
  const told: string[][] = [];
  edge.onMessage((message) => {
    got.push('version' in message ? `${message.type} ${message.version}` : message.type);
    if (message.type === 'table') told.push(message.states.map(({ service, failures }) => `${service} ${failures}`));
  });
  const link = holdBack.wrap(control);
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { holdBack, link, got, told, settle, edge };
}

test('an edge hears nothing of routes and endpoints until the new leader knows what runs, then the last of it, at once', async () => {
  const { holdBack, link, got, told, settle } = await heldBack();
  for (const message of [table(1), service(2), table(3), service(4)]) link.post(message);
  await settle();
  expect(got).toEqual([]);
  holdBack.release();
  link.post(service(5));
  await settle();
  expect(got).toEqual(['table 4', 'service 5']);
  expect(told).toEqual([['app 4']]);
});

test('probes and questions pass, as what runs is found out by them', async () => {
  const { link, got, settle } = await heldBack();
  link.post({ type: 'collect', collect: 1 });
  link.post({ type: 'cancel-probe', probe: 'probe-1' });
  await settle();
  expect(got).toEqual(['collect', 'cancel-probe']);
});

test('what edges say passes', async () => {
  const { link, edge, settle } = await heldBack();
  const said: string[] = [];
  link.onMessage(({ type }) => said.push(type));
  edge.post({ type: 'demand', service: 'app', held: 1, inFlight: 0 });
  await settle();
  expect(said).toEqual(['demand']);
});

test('slots that were granted meanwhile are not lost by a table after them', async () => {
  const { holdBack, link, got, settle } = await heldBack();
  link.post(table(1));
  link.post({ type: 'slots', service: 'app', endpoint: 'e', epoch: 1, grant: 2, recall: 0 });
  for (const message of [service(2), table(3), service(4)]) link.post(message);
  holdBack.release();
  await settle();
  expect(got).toEqual(['table 4', 'slots']);
});

test('no edge is ended for what it was not told yet', () => {
  const holdBack = new HoldBack();
  let ends = 0;
  const end = holdBack.wrapEnd(() => ends++);
  end?.();
  expect(ends).toBe(0);
  holdBack.release();
  end?.();
  expect(ends).toBe(1);
  expect(holdBack.wrapEnd(undefined)).toBeUndefined();
});
