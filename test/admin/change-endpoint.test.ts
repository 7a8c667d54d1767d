import { expect, test } from 'vitest';
import { exchange, head } from './exchange.ts';
import { serveAdmin } from './serve-admin.ts';

async function post(address: string, body: string) {
  const { port, control } = await serveAdmin();
  const fields = { Host: `127.0.0.1:${port}`, 'Content-Length': String(Buffer.byteLength(body)) };
  const path = `/v1/services/shop/endpoints/${encodeURIComponent(address)}`;
  const answer = await exchange(port, head('POST', path, fields) + body);
  return { ...answer, asked: control.asked };
}

test.each([
  ['10.0.0.5:8080', '{"drain":true}'],
  ['[::1]:80', '{"weight":0}'],
  ['unix:/run/shop.sock', '{"drain":false,"weight":null}'],
])('an endpoint is changed by its address: %s %s', async (address, body) => {
  expect(await post(address, body)).toMatchObject({ status: 200, asked: [`change shop ${address} ${body}`] });
});

test.each(['', 'null', '{}', '{"drain":1}', '{"weight":-1}', '{"weight":65536}', '{"weight":1.5}', '{"drian":true}'])(
  'the body %j is refused, and nothing done',
  async (body) => {
    const answer = await post('10.0.0.5:8080', body);
    expect(answer).toMatchObject({ status: 400, asked: [] });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'BODY_INVALID' });
  },
);
