import { expect, test } from 'vitest';
import { collectGarbage } from '../../support/collect-garbage.ts';
import { EdgeHarness, policy } from '../edge-harness.ts';
import { routes, rules } from '../route/rules.ts';
import { until } from '../wire.ts';

const MANY = 5000;

async function redirecting() {
  const table = { routes: routes({ '/': rules({ redirect: { to: '/to{path}', status: 308 } }) }) };
  const harness = await EdgeHarness.start(policy({ wakeable: false }), table);
  return { harness, flooding: await harness.connect(), other: await harness.connect() };
}

const flood = Array.from({ length: MANY }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: app.test\r\n\r\n`).join('');

test('a client that sends many requests at once does not keep others from their turn', async () => {
  const { harness, flooding, other } = await redirecting();
  flooding.write(flood);
  other.get('/other');
  for (let index = 0; index < MANY; index++)
    expect((await flooding.answer()).fields['location']).toEqual([`/to/${index}`]);
  expect((await other.answer()).fields['location']).toEqual(['/to/other']);
  const order = harness.accessed.map(({ target }) => target);
  expect(order).toHaveLength(MANY + 1);
  expect(order.indexOf('/other')).toBeLessThan(MANY);
});

test('a client that leaves while it waits for its turn leaves nothing behind', async () => {
  const { harness, flooding } = await redirecting();
  flooding.write(flood);
  await until(() => harness.accessed.length > 0, 'the first answer');
  flooding.reset();
  await harness.connections(1);
});

test('the bytes of requests that came together are let go of when these are answered', async () => {
  const { harness } = await redirecting();
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 200; index++) {
    const client = await harness.connect();
    client.write(`GET / HTTP/1.1\r\nHost: app.test\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`.repeat(3));
    for (let answers = 0; answers < 3; answers++) await client.answer();
  }
  await until(() => {
    collectGarbage();
    // Of reads that are kept it would be 8 MB.
    return process.memoryUsage().arrayBuffers - before < 3e6;
  }, 'the memory to be given back');
});
