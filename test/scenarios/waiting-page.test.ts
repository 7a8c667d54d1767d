import { describe, expect } from 'vitest';
import { epochNow, pause, took } from '../support/raw-client.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** What browsers send when somebody follows a link or submits a form. */
const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};

const WAKE_RULES = `[
  { "userAgent": "*UptimeRobot*", "then": "answer", "status": 204 },
  { "path": "/healthz", "then": "answer" },
  { "userAgent": "*bot*", "then": "deny" }
]`;

describe.concurrent('waiting page and wake rules', () => {
  scenario('a browser that navigates to a slow start gets the waiting page, and one start', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 2500 } });
    const proxy = await stage.proxy({ apps: [app] });
    const page = await proxy.request({ host: app.host, headers: NAVIGATION });
    expect(page.status).toBe(503);
    expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    expect(page.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(took(page)).toBeGreaterThanOrEqual(500);
    expect(took(page)).toBeLessThanOrEqual(1_500);
    expect(page.body.toString()).toMatch(/^<!doctype html>/i);
    await proxy.untilState(app.name, 'ready');
    const own = await proxy.request({ host: app.host, headers: NAVIGATION });
    expect([own.status, own.headers['content-type']]).toEqual([200, 'application/json']);
    expect(app.log.boots()).toHaveLength(1);
    expect(app.log.seen(page.id)).toBe(0);
  });

  scenario('a browser gets the own answer of an app that starts quickly', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app] });
    const answer = await proxy.request({ host: app.host, headers: NAVIGATION });
    // Once in a while a start is slower than the half second before the page, or the machine stands still meanwhile.
    await proxy.untilState(app.name, 'ready');
    const readyAfter = app.log.only('ready').at - answer.sentAt;
    expect(answer.status).toBe(answer.headers['content-type'] === 'application/json' ? 200 : 503);
    if (answer.status === 503) expect(took(answer)).toBeGreaterThanOrEqual(500);
    if (readyAfter < 150) expect(answer.status).toBe(200);
    else expect(readyAfter > 1_500 ? [503] : [200, 503]).toContain(answer.status);
  });

  scenario('what is not a navigation waits for the own answer and never sees HTML', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' } });
    const proxy = await stage.proxy({ apps: [app] });
    const kinds: Record<string, string>[] = [
      // fetch of a page's script; curl; an API client; an old browser's XMLHttpRequest; an image; a HEAD without hints
      { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
      { accept: '*/*', 'user-agent': 'curl/8.5.0' },
      { accept: 'application/json' },
      { accept: 'text/html, */*; q=0.01', 'x-requested-with': 'XMLHttpRequest' },
      { accept: 'text/html', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      {},
    ];
    const asking = Promise.all(kinds.map((headers) => proxy.request({ host: app.host, headers })));
    await until('all are held', async () => (await proxy.metric('pilotlight_held')) === kinds.length);
    // Longer than a browser would wait for the page.
    await pause(1_000);
    app.open('start');
    const answers = await asking;
    for (const answer of answers) {
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
      expect(answer.headers['x-cold-start']).toBe('1');
      expect(JSON.parse(answer.body.toString()).id).toBe(answer.id);
    }
    expect(app.log.boots()).toHaveLength(1);
  });

  scenario('with the page off a navigation waits too', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 1500 }, service: { hold: { page: 'off' } } });
    const proxy = await stage.proxy({ apps: [app] });
    const answer = await proxy.request({ host: app.host, headers: NAVIGATION });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
  });

  scenario('a form that is submitted to a sleeping service is not lost to a page', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 1500 } });
    const proxy = await stage.proxy({ apps: [app] });
    const headers = { ...NAVIGATION, 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await proxy.request({ method: 'POST', path: '/echo', host: app.host, headers, body: 'a=1&b=2' });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'a=1&b=2']);
  });

  scenario('the page works without scripts and loads nothing from elsewhere', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 2500 } });
    const proxy = await stage.proxy({ apps: [app] });
    const page = await proxy.request({ host: app.host, headers: NAVIGATION });
    expect(page.status).toBe(503);
    const html = page.body.toString();
    expect(html).toMatch(/<meta[^>]+http-equiv="?refresh"?/i);
    expect(html).not.toMatch(/\b(src|href)\s*=\s*["']?(https?:)?\/\//i);
    expect(html).not.toMatch(/@import|url\(/i);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    // Nothing of the inside is told.
    expect(html).not.toMatch(/127\.0\.0\.1|mimic|node\b/i);
  });

  scenario("a monitor is answered in the sleeping service's place and does not wake it", async (stage) => {
    const wake = JSON.parse(WAKE_RULES);
    const app = await stage.app('app', { service: { wake } });
    const proxy = await stage.proxy({ apps: [app] });
    const headers = { 'user-agent': 'Mozilla/5.0 (compatible; UptimeRobot/2.0)' };
    for (let turn = 0; turn < 3; turn++) {
      const answer = await proxy.request({ host: app.host, headers });
      expect([answer.status, answer.headers['x-service-state']]).toEqual([204, 'asleep']);
      await pause(500);
    }
    const health = await proxy.request({ host: app.host, path: '/healthz' });
    expect([health.status, health.headers['x-service-state']]).toEqual([200, 'asleep']);
    const denied = await proxy.request({ host: app.host, headers: { 'user-agent': 'GoogleBOT/2.1' } });
    expect(denied.status).toBe(503);
    expect(denied.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(app.log.boots()).toEqual([]);
    expect((await proxy.service(app.name)).state).toBe('asleep');

    // Whoever else comes wakes it, and then the rules say nothing.
    const sentAt = epochNow();
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    expect(app.log.only('boot').at).toBeGreaterThan(sentAt - 5);
    const monitored = await proxy.request({ host: app.host, headers });
    expect([monitored.status, monitored.headers['x-service-state']]).toEqual([200, undefined]);
  });
});
