import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { deadPort, Origin, ok, silent } from '../../wire.ts';
import { Http2Client } from './http2-client.ts';

const CALL = { ':method': 'POST', ':path': '/pkg.Service/Call', 'content-type': 'application/grpc', te: 'trailers' };

async function started(change: Parameters<typeof policy>[0] = {}): Promise<EdgeHarness> {
  const h = await EdgeHarness.start(policy(change), {}, {}, { http2: true });
  h.state();
  return h;
}

/** What a client of gRPC makes of an answer without content. */
function refusalOf({ status, fields, text, reset }: Awaited<ReturnType<Http2Client['get']>>) {
  return [status, fields['content-type'], fields['grpc-status'], text, reset];
}

const refused = (code: number) => [200, 'application/grpc', String(code), '', 0];

describe('a call of gRPC is refused by trailers only', () => {
  test('where nothing is there to answer it', async () => {
    const h = await started({ wakeable: false });
    h.state({ endpoints: [at({ port: await deadPort() })] });
    const client = await Http2Client.open(h.port);
    const answer = await client.send(CALL, 'x').answer();
    expect(refusalOf(answer)).toEqual(refused(14));
    expect(answer.fields).toMatchObject({
      'proxy-status': 'pilotlight; error=connection_refused',
      'grpc-message': 'The service refused the connection.',
      'x-request-id': expect.any(String),
    });
    expect(h.accessed).toMatchObject([{ status: 502, refusal: 'CONNECT_REFUSED' }]);
  });

  test('where no route leads', async () => {
    const h = await EdgeHarness.start(policy(), { routes: [] }, {}, { http2: true });
    const client = await Http2Client.open(h.port);
    expect(refusalOf(await client.send(CALL, 'x').answer())).toEqual(refused(12));
  });

  test('where it is not valid', async () => {
    const h = await started();
    const client = await Http2Client.open(h.port);
    expect(refusalOf(await client.send({ ...CALL, host: 'other.test' }, 'x').answer())).toEqual(refused(3));
  });

  test('where the hold ends before the service is there', async () => {
    const h = await started();
    const client = await Http2Client.open(h.port);
    const sent = client.send(CALL, 'x');
    await h.held(1);
    await h.pass(31_000, 1000);
    expect(refusalOf(await sent.answer())).toEqual(refused(14));
  });

  test('when the time is over that it gives', async () => {
    const h = await started();
    const client = await Http2Client.open(h.port);
    const sent = client.send({ ...CALL, 'grpc-timeout': '3S' }, 'x');
    await h.held(1);
    await h.pass(2900, 100);
    await h.held(1);
    await h.pass(200);
    expect(refusalOf(await sent.answer())).toEqual(refused(4));
    expect(h.accessed).toMatchObject([{ refusal: 'HOLD_DEADLINE', reason: 'grpc-timeout' }]);
  });
});

test('a call that waits longer than the hold is bounded by the hold', async () => {
  const h = await started();
  const client = await Http2Client.open(h.port);
  const sent = client.send({ ...CALL, 'grpc-timeout': '5M' }, 'x');
  await h.held(1);
  await h.pass(31_000, 1000);
  expect((await sent.answer()).fields['grpc-status']).toBe('14');
});

test('the answer of a service is passed on as it is', async () => {
  const origin = await Origin.listen(async (connection) => {
    await connection.head();
    connection.write(ok('sorry', '', '503 Service Unavailable'));
  });
  const h = await started();
  h.state({ endpoints: [at(origin)] });
  const client = await Http2Client.open(h.port);
  expect(await client.send(CALL, 'x').answer()).toMatchObject({ status: 503, text: 'sorry' });
});

test('what is no gRPC is refused as ever', async () => {
  const h = await EdgeHarness.start(policy({ timeouts: { firstByteMs: 1000 } }), {}, {}, { http2: true });
  h.state({ endpoints: [at(await Origin.listen(silent))] });
  const client = await Http2Client.open(h.port);
  const sent = client.send({ ...CALL, 'content-type': 'application/grpc-web' }, 'x');
  await h.inFlight(1);
  await h.pass(2000, 200);
  expect(await sent.answer()).toMatchObject({ status: 504, fields: { 'content-type': 'application/problem+json' } });
});
