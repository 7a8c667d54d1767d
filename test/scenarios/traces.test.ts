import { randomUUID } from 'node:crypto';
import { connect } from 'node:http2';
import { describe, expect } from 'vitest';
import { type CollectedSpan, type Collector, startCollector } from '../support/collector.ts';
import { freePort } from '../support/free-port.ts';
import { type Answer, burst } from '../support/raw-client.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

async function collecting(stage: Stage): Promise<Collector> {
  const collector = await startCollector();
  stage.onEnd(() => collector.close());
  return collector;
}

/** Name, kind and parent of the spans of a trace, in the order in which they began. */
function shapeOf(spans: readonly CollectedSpan[]) {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const began = ({ startTimeUnixNano }: CollectedSpan) => BigInt(startTimeUnixNano);
  const sorted = [...spans].sort((a, b) => Number(began(a) - began(b)));
  return sorted.map(({ name, kind, parentSpanId }) => [name, kind, byId.get(parentSpanId ?? '')?.name]);
}

/** What the service was told in `traceparent`. */
function parentSeen({ body }: Answer): string[] {
  const raw: string[] = JSON.parse(body.toString()).rawHeaders;
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === 'traceparent');
}

describe.concurrent('traces', () => {
  scenario('five cold requests over two workers: five traces, whose waits lead to the one start', async (stage) => {
    const collector = await collecting(stage);
    const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' } });
    const { endpoint } = collector;
    const traces = { endpoint, sample: 1, service: 'edge', headers: { Authorization: 'Bearer collector-secret' } };
    const proxy = await stage.proxy({ apps: [app], config: { workers: 2, traces } });
    const asking = burst(proxy.port, 5, { host: app.host, path: '/headers?card=mallory' });
    await until('all are held', async () => (await proxy.metric('pilotlight_held')) === 5);
    app.open('start');
    const answers = await asking;
    await until('all is collected', () => collector.named('GET /').length === 5 && collector.named('start').length > 0);

    const starts = collector.named('start');
    expect(starts).toMatchObject([
      { kind: INTERNAL, status: { code: 0 }, about: { 'pilotlight.service': app.name, 'pilotlight.cause': 'demand' } },
    ]);
    expect(starts[0]?.events.map(({ name }) => name)).toEqual(['permit', 'started', 'ready']);
    const requests = collector.named('GET /');
    for (const request of requests) {
      const trace = collector.spans.filter(({ traceId }) => traceId === request.traceId);
      // The first one goes out on the connection that proved the replica.
      expect(shapeOf(trace).slice(0, 3)).toEqual([
        ['GET /', SERVER, undefined],
        ['hold', INTERNAL, 'GET /'],
        ['GET', CLIENT, 'GET /'],
      ]);
      const { traceId, spanId } = starts[0] ?? {};
      expect(trace.find(({ name }) => name === 'hold')?.links).toMatchObject([{ traceId, spanId }]);
    }
    const outgoing = collector.named('GET').map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`);
    expect(answers.flatMap(parentSeen).sort()).toEqual(outgoing.sort());

    expect(requests[0]?.about).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': '/',
      'url.scheme': 'http',
      'url.path': '/headers',
      'server.address': app.host,
      'network.protocol.version': '1.1',
      'pilotlight.cold': true,
    });
    expect(JSON.stringify(collector.spans)).not.toContain('mallory');
    expect(requests[0]?.process['service.name']).toBe('edge');
    expect(new Set(collector.spans.map(({ process }) => process['process.pid'])).size).toBeGreaterThan(1);
    expect(collector.posts.every(({ authorization }) => authorization === 'Bearer collector-secret')).toBe(true);
    expect(proxy.output).not.toContain('collector-secret');
  });

  scenario('a start that fails is a span that says why, and the wait for it leads there', async (stage) => {
    const collector = await collecting(stage);
    const app = await stage.app('app', { mimic: { FAIL_FIRST: 9 } });
    const traces = { endpoint: collector.endpoint, sample: '100%' };
    const proxy = await stage.proxy({ apps: [app], config: { traces } });
    expect((await proxy.request({ host: app.host })).status).toBe(503);
    // What waits to be posted when it ends is posted then.
    await proxy.stop();
    const [start] = collector.named('start');
    const [hold] = collector.named('hold');
    expect(start).toMatchObject({ status: { code: 2 }, about: { 'error.type': 'REPLICA_EXITED' } });
    expect(start?.status.message).toContain('exit code 1');
    expect(hold?.links).toMatchObject([{ traceId: start?.traceId, spanId: start?.spanId }]);
    expect(collector.named('GET /')).toMatchObject([
      { status: { code: 2 }, about: { 'error.type': 'START_FAILED', 'http.response.status_code': 503 } },
    ]);
  });

  scenario('a trace of a trusted peer goes on by HTTP/2, and what it does not sample is not told', async (stage) => {
    const collector = await collecting(stage);
    const app = await stage.app('app');
    const port = await freePort();
    const config = {
      listen: [{ address: `127.0.0.1:${port}`, http2: true }],
      trustedProxies: ['127.0.0.1'],
      traces: { endpoint: collector.endpoint, sample: 1, query: true },
    };
    await stage.proxy({ apps: [app], config });
    const session = connect(`http://127.0.0.1:${port}`);
    stage.onEnd(() => session.destroy());
    const ask = async (flags: string) => {
      const fields = { traceparent: `00-${TRACE}-${CALLER}-${flags}`, tracestate: 'vendor=1' };
      const target = { ':path': '/headers?a=1', ':authority': app.host };
      const stream = session.request({ ...target, ...fields, 'x-test-id': randomUUID() });
      let body = '';
      for await (const chunk of stream.setEncoding('utf8')) body += chunk;
      return JSON.parse(body).rawHeaders as string[];
    };
    const told = await ask('01');
    const untold = await ask('00');
    await until('it is collected', () => collector.named('GET /').length > 0);
    expect(collector.named('GET /')).toMatchObject([
      {
        traceId: TRACE,
        parentSpanId: CALLER,
        traceState: 'vendor=1',
        about: { 'network.protocol.version': '2', 'url.query': 'a=1' },
      },
    ]);
    const [outgoing] = collector.named('GET');
    expect(told).toContain(`00-${TRACE}-${outgoing?.spanId}-01`);
    expect(told[told.indexOf('tracestate') + 1]).toBe('vendor=1');
    expect(untold.find((value) => value.startsWith(`00-${TRACE}-`))).toMatch(/-00$/);
  });
});
