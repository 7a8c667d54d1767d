import { expect, test } from 'vitest';
import { serve } from '../route/rules.ts';
import { ok } from '../wire.ts';

test('Via is off by default: what others wrote passes through', async () => {
  const { harness, seen } = await serve({ '/': undefined }, {}, {}, () => ok('a', 'Via: 1.1 inner\r\n'));
  const client = await harness.connect();
  client.get('/', 'Via: 1.1 outer\r\n');
  const answer = await client.answer();
  expect(seen[0]?.fields['via']).toEqual(['1.1 outer']);
  expect(answer.fields['via']).toEqual(['1.1 inner']);
});

test('with a name it is added behind what is there, with the version that was received (RFC 9110 §7.6.3)', async () => {
  const { harness, seen } = await serve({ '/': undefined }, {}, { via: 'edge.test' }, (request) =>
    ok('a', 'Via: 1.1 inner\r\n').replace('HTTP/1.1', request.line.includes('old') ? 'HTTP/1.0' : 'HTTP/1.1'),
  );
  const client = await harness.connect();
  client.get('/', 'Via: 1.0 outer, 1.1 other\r\n');
  expect((await client.answer()).fields['via']).toEqual(['1.1 inner', '1.1 edge.test']);
  client.get('/old');
  expect((await client.answer()).fields['via']).toEqual(['1.1 inner', '1.0 edge.test']);
  const old = await harness.connect();
  old.write('GET /old HTTP/1.0\r\nHost: app.test\r\n\r\n');
  await old.answer();
  expect(seen.map(({ fields }) => fields['via'])).toEqual([
    ['1.0 outer, 1.1 other', '1.1 edge.test'],
    ['1.1 edge.test'],
    ['1.0 edge.test'],
  ]);
});

test('Connection cannot take it away', async () => {
  const { harness, seen } = await serve({ '/': undefined }, {}, { via: 'edge.test' });
  const client = await harness.connect();
  client.get('/', 'Connection: Via\r\n');
  await client.answer();
  expect(seen[0]?.fields['via']).toEqual(['1.1 edge.test']);
});

test("the proxy's own answers went through nobody", async () => {
  const { harness } = await serve({ '/a': undefined }, {}, { via: 'edge.test' });
  const client = await harness.connect();
  client.get('/');
  const answer = await client.answer();
  expect([answer.status, answer.fields['via']]).toEqual([404, undefined]);
});
