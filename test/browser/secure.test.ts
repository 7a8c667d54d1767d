import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import type { App } from '../support/app.ts';
import { makeCertificate } from '../support/certificates.ts';
import { CHROMIUM_ARGUMENTS } from '../support/chromium.ts';
import { freePort } from '../support/free-port.ts';
import { DROPPED } from '../support/load-page.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { Stage } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { makeWorkspace } from '../support/workspace.ts';

const OPTIONS = { timeout: 600_000, retry: { count: 10, condition: new RegExp(DROPPED) } };
/** Longest that a page may take to come, ms. */
const PAGE_MS = 120_000;

let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: inject('chromium'),
    headless: true,
    args: [...CHROMIUM_ARGUMENTS, '--host-resolver-rules=MAP *.test 127.0.0.1'],
  });
});
afterAll(() => browser?.close());

/** A service that sleeps, and whose start ends when its gate `start` is opened, behind TLS. */
async function asleep(page: 'off' | 'auto'): Promise<{ stage: Stage; app: App; proxy: RunningProxy; url: string }> {
  const stage = new Stage(await makeWorkspace(''));
  onTestFinished(() => stage.dismantle());
  const app = await stage.app('app', {
    mimic: { LISTEN_GATE: 'start' },
    service: { hold: { page, timeout: '2m' }, ready: { path: '/', status: '200-499', timeout: '2m' } },
  });
  const made = makeCertificate({ names: [app.host] });
  const file = join(stage.workspace.folder, 'site.pem');
  writeFileSync(file, made.cert + made.key, { mode: 0o600 });
  const port = await freePort();
  const listen = [{ address: `127.0.0.1:${port}`, tls: { certificates: [{ cert: file }] } }];
  const proxy = await stage.proxy({ apps: [app], config: { listen } });
  return { stage, app, proxy, url: `https://${app.host}:${port}/` };
}

interface Tab {
  page: Page;
  /** Waits for something, unless the browser drops a request for a reason of the machine's. */
  undisturbed: <T>(waiting: Promise<T>) => Promise<T>;
}

/** A tab of a browser that takes the certificate for one of an authority that it trusts. */
async function tab(): Promise<Tab> {
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  page.setDefaultTimeout(PAGE_MS);
  onTestFinished(() => page.close());
  const dropped = new Promise<never>((_, reject) => {
    page.on('requestfailed', (request) => {
      if (request.failure()?.errorText === DROPPED) reject(new Error(DROPPED));
    });
  });
  const undisturbed = <T>(waiting: Promise<T>): Promise<T> => {
    const first = Promise.race([waiting, dropped]);
    // It may be awaited later than it fails, or never.
    first.catch(() => undefined);
    return first;
  };
  return { page, undisturbed };
}

/** By which protocol the page came that is shown. */
function protocolOf(page: Page): Promise<unknown> {
  return page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol");
}

test('a browser that wakes a service over TLS gets its own answer, over HTTP/2', OPTIONS, async () => {
  const { stage, app, proxy, url } = await asleep('off');
  const { page, undisturbed } = await tab();
  const going = undisturbed(page.goto(url));
  await undisturbed(until('the request is held', async () => (await proxy.metric('pilotlight_held')) === 1));
  app.open('start');
  const answer = await going;
  expect(answer?.status()).toBe(200);
  expect(answer?.headers()).toMatchObject({ 'content-type': 'application/json', 'x-cold-start': '1' });
  expect(await protocolOf(page)).toBe('h2');
  expect(app.log.boots()).toHaveLength(1);
  await stage.finish();
});

test('the waiting page goes on by itself when the service is ready, over HTTP/2', OPTIONS, async () => {
  const { stage, app, url } = await asleep('auto');
  const { page, undisturbed } = await tab();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // That of the browser itself about the status of the page.
    if (message.type() === 'error' && !message.text().includes('503')) complaints.push(message.text());
  });
  const watched = undisturbed(page.waitForRequest((request) => request.resourceType() === 'eventsource'));
  const waiting = await page.goto(url);
  expect(waiting?.status()).toBe(503);
  expect(await page.locator('progress').count()).toBe(1);
  expect(await protocolOf(page)).toBe('h2');
  await watched;
  const own = undisturbed(page.waitForResponse((response) => response.url() === url && response.status() === 200));
  app.open('start');
  expect((await own).headers()).toMatchObject({ 'content-type': 'application/json' });
  await undisturbed(page.waitForFunction("document.querySelector('progress') === null"));
  expect(await protocolOf(page)).toBe('h2');
  expect(app.log.boots()).toHaveLength(1);
  expect(complaints).toEqual([]);
  await stage.finish();
});
