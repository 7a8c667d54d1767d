import { expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, Origin, ok } from '../wire.ts';

const limits = { head: 1000, fields: 5, chunkExtensions: 10, trailers: 20 };
const chunked = (body: string) => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
const head = (bytes: number) => ok('', `X-Fill: ${'x'.repeat(bytes - 46)}\r\n`);
const fields = (count: number) => ok('', 'A: 1\r\n'.repeat(count - 1));

async function answered(answer: string, change = {}) {
  const origin = await Origin.listen(answering(() => answer));
  const harness = await EdgeHarness.start(policy({ limits, ...change }));
  harness.state({ endpoints: [at(origin)] });
  const client = await harness.connect();
  client.get('/', 'Connection: TE\r\nTE: trailers\r\n');
  return { harness, client, answer: await client.answer() };
}

test.each<[what: string, most: string, more: string]>([
  ['bytes of its head', head(1000), head(1001)],
  ['fields', fields(5), fields(6)],
])('an answer of the most %s there may be is passed on, one more is 502', async (_what, most, more) => {
  expect((await answered(most)).answer.status).toBe(200);
  expect((await answered(more)).answer.status).toBe(502);
});

test.each<[what: string, most: string, more: string]>([
  ['chunk extensions', chunked('1;a=bcdefgh\r\nx\r\n0\r\n\r\n'), chunked('1;a=bcdefghij\r\nx\r\n0\r\n\r\n')],
  ['trailers', chunked('0\r\nA: 3456789012345\r\n\r\n'), chunked('0\r\nA: 34567890123456\r\n\r\n')],
])(
  'an answer with the most bytes of %s there may be is whole, with more it is broken off',
  async (_what, most, more) => {
    expect((await answered(most)).answer.complete).toBe(true);
    expect((await answered(more)).answer.complete).toBe(false);
  },
);

test('a reload changes them for the endpoints that are there', async () => {
  const { harness, client } = await answered(head(900));
  harness.table(policy({ limits: { ...limits, head: 800 } }));
  client.get();
  expect((await client.answer()).status).toBe(502);
});
