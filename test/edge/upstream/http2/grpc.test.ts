import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Bytes, type Echo, echoClient, methods, serveEcho } from '../../../support/grpc-service.ts';
import { at, EdgeHarness } from '../../edge-harness.ts';
import { quiet, until } from '../../wire.ts';
import { edgeBefore, Http2Origin, http2Policy } from './http2-origin.ts';

async function echo(): Promise<Echo> {
  const served = await serveEcho();
  onTestFinished(() => served.server.forceShutdown());
  return served;
}

function clientOf(edge: EdgeHarness): Client {
  const client = echoClient(edge.port, 'app.test');
  onTestFinished(() => client.close());
  return client;
}

async function stage(change: Parameters<typeof http2Policy>[0] = {}) {
  const service = await echo();
  const edge = await edgeBefore([service], change);
  return { service, edge, client: clientOf(edge) };
}

interface Outcome {
  bytes: Bytes | undefined;
  code: number;
  details: string;
  headers: Metadata | undefined;
  trailers: Metadata | undefined;
}

/** One call with one message and one answer. */
function call(
  client: Client,
  { path, requestSerialize, responseDeserialize }: (typeof methods)[keyof typeof methods],
  message: Bytes,
  metadata = new Metadata(),
  deadline?: number,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const outcome: Outcome = { bytes: undefined, code: -1, details: '', headers: undefined, trailers: undefined };
    const options = deadline === undefined ? {} : { deadline: Date.now() + deadline };
    const done = (error: ServiceError | null, bytes?: Bytes) => {
      outcome.bytes = bytes;
      outcome.code = error?.code ?? 0;
      outcome.details = error?.details ?? '';
    };
    const asked = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      metadata,
      options,
      done,
    );
    asked.on('metadata', (headers: Metadata) => {
      outcome.headers = headers;
    });
    asked.on('status', ({ metadata: trailers }: { metadata: Metadata }) => {
      outcome.trailers = trailers;
      setImmediate(() => resolve(outcome));
    });
  });
}

const { one, gather, scatter, talk, fail, never } = methods;

describe('a call', () => {
  test('with one message and one answer carries metadata both ways, and in trailers', async () => {
    const { client, service } = await stage();
    const metadata = new Metadata();
    metadata.set('x-word', 'hi');
    metadata.set('x-word-bin', Buffer.from([0, 255]));
    const { bytes, code, headers, trailers } = await call(client, one, Buffer.from('hello'), metadata);
    expect([bytes?.toString(), code]).toEqual(['hello', status.OK]);
    expect(headers?.get('x-word')).toEqual(['hi']);
    expect([trailers?.get('x-word'), trailers?.get('x-word-bin')]).toEqual([['hi'], [Buffer.from([0, 255])]]);
    expect(service.seen.metadata[0]).toMatchObject({ 'x-word': 'hi', 'x-forwarded-for': '127.0.0.1' });
  });

  test('with many messages has one answer', async () => {
    const { client } = await stage();
    const answer = await new Promise<Bytes | undefined>((resolve, reject) => {
      const done = (error: ServiceError | null, bytes?: Bytes) => (error === null ? resolve(bytes) : reject(error));
      const stream = client.makeClientStreamRequest(
        gather.path,
        gather.requestSerialize,
        gather.responseDeserialize,
        done,
      );
      for (let index = 0; index < 50; index++) stream.write(Buffer.alloc(10_000, index));
      stream.end();
    });
    expect(answer?.length).toBe(500_000);
    expect([answer?.[0], answer?.[499_999]]).toEqual([0, 49]);
  });

  test('with many large answers waits for a client that reads slowly', async () => {
    const { client, edge } = await stage();
    const stream = client.makeServerStreamRequest(
      scatter.path,
      scatter.requestSerialize,
      scatter.responseDeserialize,
      Buffer.from('8 3000000'),
    );
    const sizes: number[] = [];
    for await (const message of stream) {
      sizes.push((message as Bytes).length);
      await quiet(20);
    }
    expect(sizes).toEqual(Array.from({ length: 8 }, () => 3_000_000));
    await edge.inFlight(0);
  });

  test('talks both ways at once, and may pause for as long as a tunnel may be silent', async () => {
    const { client, service, edge } = await stage({ timeouts: { tunnelMs: 600_000 } });
    const stream = client.makeBidiStreamRequest(talk.path, talk.requestSerialize, talk.responseDeserialize);
    const heard: string[] = [];
    let code = -1;
    stream.on('data', (message: Bytes) => heard.push(message.toString()));
    stream.on('error', () => {});
    stream.on('status', (ended: { code: number }) => {
      code = ended.code;
    });
    // In flight it is before it is connected, for which there is less time.
    await until(() => service.seen.talks === 1, 'the call at the service');
    await edge.pass(120_000, 5000);
    stream.write(Buffer.from('first'));
    await until(() => heard.length === 1, 'the first echo');
    await edge.pass(120_000, 5000);
    stream.write(Buffer.from('second'));
    await until(() => heard.length === 2, 'the second echo');
    stream.end();
    await until(() => code >= 0, 'the end');
    expect([heard, code]).toEqual([['first', 'second'], status.OK]);
  });

  test('that its client cancels, or whose deadline passes, ends at the service', async () => {
    const { client, service, edge } = await stage();
    const late = call(client, never, Buffer.from('x'), new Metadata(), 5000);
    await edge.inFlight(1);
    expect((await late).code).toBe(status.DEADLINE_EXCEEDED);
    await until(() => service.seen.cancelled === 1, 'the end at the service');
    const asked = client.makeUnaryRequest(
      never.path,
      never.requestSerialize,
      never.responseDeserialize,
      Buffer.from('x'),
      () => {},
    );
    await until(() => service.seen.unanswered === 2, 'the call at the service');
    asked.cancel();
    await until(() => service.seen.cancelled === 2, 'the end at the service');
    await edge.inFlight(0);
  });

  test('that is held for a start is answered when the service is there', async () => {
    const service = await echo();
    const edge = await EdgeHarness.start(http2Policy(), {}, {}, { http2: true });
    edge.state();
    const client = clientOf(edge);
    const calls = Array.from({ length: 20 }, (_, index) => call(client, one, Buffer.from(String(index))));
    await edge.held(20);
    edge.state({ endpoints: [at(service)] });
    const texts = (await Promise.all(calls)).map(({ bytes }) => bytes?.toString());
    expect(texts).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
  });

  test('that is held longer than it has time ends with DEADLINE_EXCEEDED', async () => {
    const edge = await EdgeHarness.start(http2Policy(), {}, {}, { http2: true });
    edge.state();
    const asked = call(clientOf(edge), one, Buffer.from('x'), new Metadata(), 20_000);
    await edge.held(1);
    edge.clock.advance(20_000);
    expect((await asked).code).toBe(status.DEADLINE_EXCEEDED);
  });

  test('is refused with the status that stands for the reason', async () => {
    const edge = await EdgeHarness.start(http2Policy({ wakeable: false }), {}, {}, { http2: true });
    edge.state();
    const { code, details } = await call(clientOf(edge), one, Buffer.from('x'));
    expect([code, details]).toEqual([status.UNAVAILABLE, 'The service has no running copy at the moment.']);
  });

  test('under way is not lost when its endpoint is cordoned', async () => {
    const [service, other] = [await echo(), await echo()];
    const edge = await edgeBefore([service]);
    const client = clientOf(edge);
    const stream = client.makeBidiStreamRequest(talk.path, talk.requestSerialize, talk.responseDeserialize);
    const heard: string[] = [];
    let isOver = false;
    stream.on('error', () => {});
    stream.on('status', () => {
      isOver = true;
    });
    stream.on('data', (message: Bytes) => heard.push(message.toString()));
    stream.write(Buffer.from('before'));
    await until(() => heard.length === 1, 'the first echo');
    edge.state({ endpoints: [at(service, { state: 'cordoned' }), at(other)] });
    edge.table(http2Policy({ upstreamHost: 'changed.test' }));
    expect((await call(client, one, Buffer.from('new'))).bytes?.toString()).toBe('new');
    stream.write(Buffer.from('after'));
    await until(() => heard.length === 2, 'the second echo');
    stream.end();
    await edge.message('drained');
    await until(() => isOver, 'the end of the call');
    expect([service.seen.metadata.length, other.seen.metadata.length]).toEqual([0, 1]);
  });
});

describe('for scaling and ejection', () => {
  /** What was counted so far. */
  async function counts(edge: EdgeHarness) {
    await edge.inFlight(0);
    const parts = edge.all('report').flatMap(({ services }) => services);
    return (['good', 'shed', 'errors'] as const).map((name) => parts.reduce((sum, part) => sum + part[name], 0));
  }

  async function counted(code: number) {
    const { client, edge } = await stage();
    expect((await call(client, fail, Buffer.from(String(code)))).code).toBe(code);
    return counts(edge);
  }

  test.each([
    ['RESOURCE_EXHAUSTED', 8, [0, 1, 0]],
    ['UNAVAILABLE', 14, [0, 1, 0]],
    ['UNKNOWN', 2, [0, 0, 1]],
    ['INTERNAL', 13, [0, 0, 1]],
    ['DATA_LOSS', 15, [0, 0, 1]],
    ['NOT_FOUND', 5, [1, 0, 0]],
  ])('%s counts as good, shed or error: %i → %j', async (_, code, expected) => {
    expect(await counted(code)).toEqual(expected);
  });

  test('a status in trailers behind messages counts as one of trailers alone does', async () => {
    const play: Parameters<typeof Http2Origin.listen>[0] = ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '13' }));
      stream.end(Buffer.from([0, 0, 0, 0, 1, 65]));
    };
    const outlier = { consecutive: 1, intervalMs: 10_000, ejectMs: 30_000, maxEjectMs: 300_000, maxShare: 0.5 };
    const edge = await edgeBefore([await Http2Origin.listen(play), await Http2Origin.listen(play)], { outlier });
    await call(clientOf(edge), one, Buffer.from('x'));
    expect(await counts(edge)).toEqual([0, 0, 1]);
    expect(await edge.message('ejected')).toMatchObject({ why: 'grpc-status 13' });
  });

  test('a first answer before the end of the messages is no sample of latency', async () => {
    const { client, edge } = await stage();
    const stream = client.makeBidiStreamRequest(talk.path, talk.requestSerialize, talk.responseDeserialize);
    let heard = 0;
    stream.on('error', () => {});
    stream.on('data', () => heard++);
    stream.write(Buffer.from('x'));
    await until(() => heard === 1, 'the echo');
    const report = await edge.service();
    expect([report?.completions, report?.ttfb, report?.endpoints[0]?.waiting]).toEqual([1, [], []]);
    stream.end();
    await edge.inFlight(0);
  });
});
