import { expect, test } from 'vitest';
import { failedPage, PROGRESS_PREFIX, samePlace, waitingPage } from '../../../src/edge/hold/waiting-page.ts';
import { EdgeHarness, policy } from '../edge-harness.ts';
import { type Answer, type Client, Origin, ok } from '../wire.ts';

const NAVIGATION = 'Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n';

/** A client that goes to a page. */
async function visit(client: Client, target: string): Promise<Answer> {
  client.get(target, NAVIGATION);
  return client.answer();
}

/** Where a page without JavaScript goes next. */
function refreshOf({ body }: Answer): string | undefined {
  const [, target] = /<noscript><meta http-equiv="refresh" content="\d+;url=([^"]+)">/.exec(body.toString()) ?? [];
  return target?.replaceAll('&#38;', '&');
}

test('without JavaScript the waiting page looks where looking starts nothing, and leads on when the service is ready', async () => {
  const origin = await Origin.listen(async (connection) => {
    for (;;) {
      if ((await connection.request()) === undefined) return;
      connection.write(ok('own'));
    }
  });
  const harness = await EdgeHarness.start();
  harness.state();
  const client = await harness.connect();
  client.get('/basket?a=1&b=%22', NAVIGATION);
  await harness.held(1);
  harness.state({ starting: true });
  harness.clock.advance(500);
  const page = await client.answer();
  expect(page.status).toBe(503);
  const watch = refreshOf(page) as string;
  expect(watch).toBe(`${PROGRESS_PREFIX}/basket?a=1&b=%22`);

  const told = harness.all('demand').length;
  const again = await visit(client, watch);
  expect([again.status, refreshOf(again)]).toEqual([503, watch]);
  harness.state({
    endpoints: [{ id: 'e', host: '127.0.0.1', port: origin.port, state: 'ready', weight: 1, start: null }],
  });
  const ready = await visit(client, watch);
  expect([ready.status, ready.fields['location']]).toEqual([303, ['/basket?a=1&b=%22']]);
  expect(harness.all('demand').slice(told)).toEqual([]);
  expect((await visit(client, '/basket?a=1&b=%22')).body.toString()).toBe('own');
});

test('the page of a start that failed reloads nothing, starts nothing, and has a link that tries again', async () => {
  const harness = await EdgeHarness.start();
  harness.state();
  const waiting = await harness.connect();
  waiting.get('/basket', NAVIGATION);
  await harness.held(1);
  harness.state({ failures: 1, blocked: { retryAfterMs: 8000 } });
  const failed = await waiting.answer();
  expect(failed.status).toBe(503);
  expect(failed.fields['proxy-status']).toEqual(['pilotlight; error=destination_unavailable']);
  expect(failed.fields['retry-after']).toEqual(['8']);
  expect(failed.fields['content-security-policy']?.[0]).toContain("default-src 'none'");
  const html = failed.body.toString();
  expect(html).not.toMatch(/refresh|<script|127\.0\.0\.1/);
  expect(html).toContain('<a href="/basket">Try again</a>');
  expect(html).toContain('app could not be started');

  const told = harness.all('demand').length;
  // During the back-off, and after it where nothing was asked to start: the same page, and no start.
  for (const path of ['/basket', `${PROGRESS_PREFIX}/basket`]) {
    expect((await visit(waiting, path)).body.toString()).toContain('in 8 seconds');
  }
  harness.state({ failures: 1 });
  const later = await visit(waiting, `${PROGRESS_PREFIX}/basket`);
  expect(later.status).toBe(503);
  expect(later.body.toString()).not.toMatch(/refresh|<script/);
  expect(later.body.toString()).toContain('<a href="/basket">Try again</a>');
  expect(
    harness
      .all('demand')
      .slice(told)
      .filter(({ held }) => held > 0),
  ).toEqual([]);

  // The link is an ordinary request, and waits for a start.
  waiting.get('/basket', NAVIGATION);
  await harness.held(1);
  expect(harness.all('demand').at(-1)).toMatchObject({ held: 1 });
});

test('a page with JavaScript is told once that the start failed, also where it asks too late', async () => {
  const harness = await EdgeHarness.start();
  harness.state({ starting: true });
  const early = await harness.connect();
  early.get(`${PROGRESS_PREFIX}/`, 'Accept: text/event-stream\r\n');
  expect(await early.head()).toContain(' 200 ');
  harness.state({ failures: 1 });
  expect(await early.readThrough('event: failed')).toContain('event: progress');
  const late = await harness.connect();
  late.get(`${PROGRESS_PREFIX}/`, 'Accept: text/event-stream\r\n');
  await late.head();
  expect(await late.readThrough('event: failed')).not.toContain('progress');
});

test('other clients and services without the page get the answers that they got', async () => {
  const harness = await EdgeHarness.start(policy({ hold: { page: 'off' } }));
  harness.state({ failures: 1, blocked: { retryAfterMs: 8000 } });
  const client = await harness.connect();
  expect((await visit(client, '/')).body.toString()).toContain('<h1>503 Service Unavailable</h1>');
  harness.table(policy());
  harness.state({ failures: 1, blocked: { retryAfterMs: 8000 } });
  client.get('/', 'Accept: application/json\r\n');
  expect(JSON.parse((await client.answer()).body.toString())).toMatchObject({ code: 'START_BLOCKED' });
  client.get('/', 'Accept: text/html\r\nX-Requested-With: XMLHttpRequest\r\n');
  expect((await client.answer()).body.toString()).toContain('<h1>503 Service Unavailable</h1>');
});

test.each([
  ['/a', '/a'],
  ['//evil.example/x', '/.//evil.example/x'],
  ['/\\evil.example', '/./\\evil.example'],
  ['/a//b', '/a//b'],
])('a link to %s stays on this host', (target, reference) => {
  expect(samePlace(target)).toBe(reference);
  expect(new URL(samePlace(target), 'http://own.example/z').host).toBe('own.example');
});

test('nothing in a target or a name becomes markup', () => {
  const target = '/"><script>alert(1)</script>';
  for (const html of [waitingPage('a<b>', target, 2), failedPage('a<b>', target, 2, 'x"><i>')]) {
    expect(html).not.toMatch(/<b>|<i>|alert\(1\)<\/script>|"><script>alert/);
  }
});
