import { connect } from 'node:http2';
import { expect, test } from 'vitest';
import { makeCertificate, tlsMaterial } from '../../../support/certificates.ts';
import { at, EdgeHarness } from '../../edge-harness.ts';
import { answering, Origin, ok, quiet } from '../../wire.ts';
import { tlsConnect } from '../tls/tls-client.ts';
import { Http2Client } from './http2-client.ts';

const app = makeCertificate();
const echo = answering(({ line, fields }) =>
  ok(line.includes('/big') ? 'y'.repeat(20_000_000) : `${line} ${fields['x-forwarded-proto']}`),
);

async function start(http2?: boolean): Promise<EdgeHarness> {
  const listen = { tls: tlsMaterial([app]), ...(http2 === undefined ? {} : { http2 }) };
  const h = await EdgeHarness.start(undefined, {}, {}, listen);
  h.state({ endpoints: [at(await Origin.listen(echo))] });
  return h;
}

function open(h: EdgeHarness): Promise<Http2Client> {
  const session = connect(`https://127.0.0.1:${h.port}`, { rejectUnauthorized: false, servername: 'app.test' });
  return Http2Client.of(session);
}

test('a client that offers HTTP/2 gets it', async () => {
  const h = await start();
  const client = await open(h);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => client.get(`/${i}`)));
  expect(answers.map(({ text }) => text)).toEqual(answers.map((_, i) => `GET /${i} HTTP/1.1 https`));
  expect(h.accessed.map(({ version }) => version)).toEqual(Array(20).fill('2.0'));
});

test('a client may choose HTTP/1.1, and a listener may have no other', async () => {
  const chosen = await tlsConnect((await start()).port, { ALPNProtocols: ['http/1.1'] });
  expect(chosen.socket.alpnProtocol).toBe('http/1.1');
  expect(await chosen.ask('/one')).toContain('GET /one');
  const only = await tlsConnect((await start(false)).port, { ALPNProtocols: ['h2', 'http/1.1'] });
  expect(only.socket.alpnProtocol).toBe('http/1.1');
  expect(await only.ask('/one')).toContain('GET /one');
});

test('a large answer comes whole, and a client that takes none is cut off', async () => {
  const h = await start();
  const client = await open(h);
  expect((await client.get('/big')).text.length).toBe(20_000_000);
  const lazy = client.send({ ':path': '/big' });
  lazy.stream.pause();
  await quiet(100);
  await h.pass(70_000, 500);
  expect((await lazy.answer()).reset).toBe(8);
  expect((await client.get('/')).text).toBe('GET / HTTP/1.1 https');
});
