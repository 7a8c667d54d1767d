import { expect, onTestFinished, test } from 'vitest';
import type { OwnAnswer } from '../../../src/edge/answer/own-answer.ts';
import { CompressionLimit } from '../../../src/edge/compress/compression-limit.ts';
import type { ExchangeContext } from '../../../src/edge/exchange/context.ts';
import type { AnswerWriter, Downstream, Peer } from '../../../src/edge/exchange/downstream.ts';
import { Exchange } from '../../../src/edge/exchange/exchange.ts';
import { StaleCheck } from '../../../src/edge/exchange/stale-check.ts';
import { CheckGate } from '../../../src/edge/health/check-gate.ts';
import { Fault } from '../../../src/edge/http1/faults.ts';
import { latin1Bytes } from '../../../src/edge/http1/latin1.ts';
import { RequestHead } from '../../../src/edge/http1/request.ts';
import type { ResponseHead } from '../../../src/edge/http1/response.ts';
import { Deadlines } from '../../../src/edge/io/deadlines.ts';
import { Shortage } from '../../../src/edge/io/shortage.ts';
import { ListenerRoutes } from '../../../src/edge/route/listener-routes.ts';
import { Service } from '../../../src/edge/service/service.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { at, policy, state } from '../edge-harness.ts';
import { answering, Origin, ok, type Seen, silent, until } from '../wire.ts';

/** One request of a client that is no connection, as a stream of a multiplexed protocol would be. */
class Stream implements Downstream {
  readonly request = new RequestHead();
  readonly version = '1.1';
  readonly body = { done: true, trailers: '', fault: Fault.BAD_CHUNK_SIZE };
  readonly peer: Peer = {
    address: '192.0.2.1',
    port: 7,
    trusted: false,
    scheme: 'https' as const,
    tls: undefined,
    listener: '',
    httpsPort: 0,
    acmeAnswers: undefined,
    asksClients: false,
    isMisdirected: () => false,
    forwardedPort: 443,
    localAddress: '192.0.2.9:443',
    ends: { source: '192.0.2.1', sourcePort: 7, destination: '192.0.2.9', destinationPort: 443 },
    clientOf: () => '192.0.2.1',
    forwardingFields: () => 'X-Forwarded-Proto: https\r\n',
    onUntrustedForwarding: () => undefined,
  };
  readonly hasEnded = false;
  awaitsContinue = false;
  readonly mayPause = false;
  /** What happened to it, in order. */
  readonly log: string[] = [];
  readonly answer: AnswerWriter = {
    bytes: 0,
    headBytes: 0,
    isBehind: false,
    interim: ({ status }) => void this.log.push(`interim ${status}`),
    head: (response, added) => this.#head(response, added),
    switchProtocols: ({ status }) => void this.log.push(`switch ${status}`),
    piece: (bytes, start, end) => this.#wrote(bytes.toString('latin1', start, end)),
    raw: (bytes, start, end) => this.#wrote(`raw ${bytes.toString('latin1', start, end)}`),
    end: (trailers) => this.#wrote(`end ${trailers}`.trim()),
    flush: () => true,
    own: (answer: OwnAnswer, requestId) => void this.log.push(`own ${answer.status} ${requestId}`),
    write: (data) => this.#wrote(`write ${data}`),
    endTunnel: () => void this.log.push('tunnel ended'),
    breakOff: () => void this.log.push('broken off'),
  };

  constructor(text: string) {
    const limits = { headBytes: 1024, fields: 16, targetBytes: 256 };
    expect(this.request.parse(text, latin1Bytes(text), 0, limits)).toBeUndefined();
  }

  #head({ status, head }: ResponseHead, added: string): void {
    this.log.push(`head ${status}`, ...(head.kept() + added).split('\r\n').filter((line) => line.startsWith('X-')));
  }

  #wrote(what: string): true {
    this.log.push(what);
    return true;
  }

  pauseReading(): void {}
  resumeReading(): void {}
  sayContinue(): void {
    this.awaitsContinue = false;
    this.log.push('continue');
  }
  onContinue(): void {
    this.awaitsContinue = false;
  }
  takeNoMore(): void {}
  takePending(): Buffer | undefined {
    return undefined;
  }
  finish(): void {
    this.log.push('finished');
  }
  abort(): void {
    this.log.push('aborted');
  }
}

const GET = 'GET /a HTTP/1.1\r\nHost: app.test\r\n';

/** The request path for one service, without any listener. */
function requestPath(change: Parameters<typeof policy>[0] = {}) {
  const clock = new VirtualClock();
  clock.advance(1000);
  const context: ExchangeContext = {
    clock,
    logger: silentLogger,
    deadlines: new Deadlines(clock),
    staleCheck: new StaleCheck(),
    checkGate: new CheckGate(1),
    shortage: new Shortage(clock, silentLogger, undefined),
    compressions: new CompressionLimit(),
    routes: new ListenerRoutes([], () => {
      throw new Error('an empty table has no targets');
    }),
    ledUntil: Number.POSITIVE_INFINITY,
    heldBytes: 0,
    maxHeldBytes: 2 ** 20,
    draining: false,
    handingOver: false,
    unrouted: new Map(),
    access: undefined,
    traces: undefined,
    closeIdle: () => false,
    httpProxyEngine: () => {
      throw new Error('not used');
    },
    post: () => undefined,
    transportOf: () => undefined,
    takeProbed: () => undefined,
    requestId: () => 'id-1',
    date: () => 'now',
  };
  const service = new Service(context, policy(change));
  const route = { service, rules: undefined, path: '/', maxBody: 0, compression: undefined };
  context.routes = new ListenerRoutes([{ host: undefined, path: '/', service: 'app' }], () => route);
  onTestFinished(() => {
    service.close();
    context.deadlines.close();
  });
  const serve = (stream: Stream): Exchange => {
    const exchange = new Exchange(stream, context);
    exchange.prepare(clock.now());
    exchange.begin();
    return exchange;
  };
  return { clock, service, serve };
}

test('a request of any protocol gets the answer as status, fields, pieces and an end', async () => {
  const seen: Seen[] = [];
  const origin = await Origin.listen(
    answering((request) => {
      seen.push(request);
      return ok('hello', 'X-Of: the service\r\n');
    }),
  );
  const { service, serve } = requestPath();
  service.apply(state({ endpoints: [at(origin)] }), 1);
  const stream = new Stream(GET);
  serve(stream);
  await until(() => stream.log.includes('finished'), 'the answer');
  expect(stream.log).toEqual(['head 200', 'X-Of: the service', 'X-Request-Id: id-1', 'hello', 'end', 'finished']);
  // The scheme is the client's, whatever connects to the service.
  expect(seen[0]?.fields['x-forwarded-proto']).toEqual(['https']);
});

test('it is held for a start and answered then; its deadline is answered by us', async () => {
  const origin = await Origin.listen(answering(() => ok('late')));
  const { clock, service, serve } = requestPath();
  service.apply(state({ holdTimeoutMs: 5000 }), 1);
  const [first, second] = [new Stream(GET), new Stream(GET)];
  serve(first);
  expect(service.queue.size).toBe(1);
  service.apply(state({ holdTimeoutMs: 5000, endpoints: [at(origin)] }), 2);
  await until(() => first.log.includes('finished'), 'the answer');
  expect(first.log.filter((each) => !each.startsWith('X-'))).toEqual(['head 200', 'late', 'end', 'finished']);
  expect(first.log).toContain('X-Cold-Start: 1');
  service.apply(state({ holdTimeoutMs: 5000 }), 3);
  serve(second);
  clock.advance(5100);
  expect(second.log).toEqual(['own 504 id-1', 'finished']);
});

test('a client that goes takes its request along; another that stays gets a refusal when the service breaks', async () => {
  const origin = await Origin.listen(silent);
  const { service, serve } = requestPath({ retries: { max: 0 } });
  service.apply(state({ endpoints: [at(origin)] }), 1);
  const [gone, left] = [new Stream(GET), new Stream(GET)];
  const exchange = serve(gone);
  const upstream = await origin.connection();
  await upstream.request();
  exchange.onClientGone(false);
  await upstream.untilOver();
  expect(gone.log).toEqual([]);
  serve(left);
  const next = await origin.connection(1);
  await next.request();
  next.write('nonsense\r\n\r\n');
  await until(() => left.log.includes('finished'), 'the refusal');
  expect(left.log).toEqual(['own 502 id-1', 'finished']);
});
