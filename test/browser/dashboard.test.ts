import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createAdmin } from '../../src/admin/create-admin.ts';
import type { ClusterStatus } from '../../src/model/cluster.ts';
import { silentLogger } from '../../src/model/observe.ts';
import type { ControlApi } from '../../src/model/status.ts';
import type { App } from '../support/app.ts';
import { CHROMIUM_ARGUMENTS } from '../support/chromium.ts';
import { loadPage } from '../support/load-page.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { Stage } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { makeWorkspace } from '../support/workspace.ts';

const TOKEN = 'let-me-in';
/** Longest that anything may take to be shown, ms. */
const SHOWN_MS = 60_000;
const OPTIONS = { timeout: 240_000 };
/** The browser says so of every answer that is an error, as one that is wanted here. */
const EXPECTED = /status of (?:401|422)|net::ERR_/;

let stage: Stage;
let shop: App;
let proxy: RunningProxy;
let browser: Browser;

beforeAll(async () => {
  stage = new Stage(await makeWorkspace(''));
  shop = await stage.app('shop', { service: { scale: { max: 3, idle: 'never' } } });
  const broken = {
    routes: [{ host: 'broken.test' }],
    run: {
      process: {
        command: [process.execPath, '-e', 'console.error("no database"); process.exit(3)'],
        env: { PORT: '{port}' },
      },
    },
  };
  const wiki = { routes: [{ host: 'wiki.test', path: '/w' }], endpoints: { static: ['127.0.0.1:9'] } };
  [proxy, browser] = await Promise.all([
    stage.proxy({ apps: [shop], config: { admin: { token: TOKEN }, services: { broken, wiki } } }),
    chromium.launch({ executablePath: inject('chromium'), headless: true, args: CHROMIUM_ARGUMENTS }),
  ]);
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await stage?.finish();
  await stage?.dismantle();
});

interface OpenOptions extends BrowserContextOptions {
  token?: string;
  /** Of the admin API. */
  port?: number;
}

/** Opens a page of the dashboard; it must not complain of anything, nor ask elsewhere for anything. */
async function open(fragment: string, options: OpenOptions = {}): Promise<Page> {
  const { token = TOKEN, port = proxy.adminPort, ...how } = options;
  const context = await browser.newContext(how);
  const origin = `http://127.0.0.1:${port}`;
  if (token !== '') {
    await context.addInitScript(
      `if (location.origin === '${origin}') sessionStorage['pilotlight-token'] ??= '${token}'`,
    );
  }
  const page = await context.newPage();
  page.setDefaultTimeout(SHOWN_MS);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !EXPECTED.test(message.text()))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) complaints.push(request.url());
  });
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(`the page shows: ${await page.innerText('body')}`);
    await context.close();
    expect(complaints).toEqual([]);
  });
  await loadPage(page, `${origin}/${fragment}`);
  return page;
}

const stateOf = (page: Page) => page.locator('h1 .state');
const shows = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

test('the token is asked for, a wrong one is refused, and with the right one services are shown', OPTIONS, async () => {
  const page = await open('', { token: '' });
  await page.getByLabel('Token').fill('wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await shows(page, 'The token was refused.');
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('link', { name: 'shop' }).waitFor();
  expect(await page.context().cookies()).toEqual([]);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Token').waitFor();
});

test('what is searched for is in the address, and comes back from it', OPTIONS, async () => {
  const page = await open('#/services?q=shop');
  await shows(page, '1 of 3 services');
  await page.getByLabel('Search').fill('i');
  await shows(page, '1 of 3 services');
  await page.getByRole('link', { name: 'wiki' }).waitFor();
  await page.getByRole('button', { name: 'Held' }).click();
  await page.waitForURL(/#\/services\?q=i&sort=held$/);
  expect(await page.getByRole('columnheader', { name: 'Held' }).getAttribute('aria-sort')).toBe('descending');
});

test('a service is woken, its charts move, it is scaled with the reason, and put to sleep', OPTIONS, async () => {
  const page = await open('#/service/shop');
  await page.locator('h1 .state[data-state=asleep]').waitFor();
  await page.getByRole('button', { name: 'Wake' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Wake' }).click();
  await page.locator('h1 .state[data-state=ready]').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await shows(page, /shop-1 \(by-hand\)/);

  const chart = page.getByRole('img', { name: /^Requests per second/ });
  const asking = setInterval(() => void proxy.request({ host: shop.host, path: '/' }).catch(() => undefined), 100);
  onTestFinished(() => clearInterval(asking));
  await page.getByRole('img', { name: /^Requests per second: arrivals (?!0,|none)/ }).waitFor();
  const before = await chart.screenshot();
  await until('the chart moves', async () => !before.equals(await chart.screenshot()), SHOWN_MS, 500);
  clearInterval(asking);

  await page.getByRole('button', { name: 'Scale…' }).click();
  await page.getByRole('spinbutton').fill('7');
  await page.getByRole('dialog').getByText('from 1 (min) to 3 (max)').waitFor();
  await page.getByRole('spinbutton').fill('2');
  await page.getByRole('dialog').getByText('1→2, within 0 to 3.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Scale' }).click();
  await page.locator('.decisions > [data-action=scale-up]').getByText('scale-up 1→2').waitFor();
  await page.locator('.decisions > [data-action=scale-up]').getByText('by hand').waitFor();
  await page
    .getByRole('region', { name: 'Replicas' })
    .getByRole('row', { name: /^shop-2 ready/ })
    .waitFor();

  await page.getByRole('button', { name: 'Sleep' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await stateOf(page).textContent()).toBe('ready');
  await page.getByRole('button', { name: 'Sleep' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sleep' }).click();
  await page.locator('h1 .state[data-state=asleep]').waitFor();
  expect(await page.locator('.decisions > [data-action=sleep]').first().textContent()).toContain('by hand');
  await page.getByRole('link', { name: 'Events' }).click();
  await shows(page, /ready in \d+ ms/);
});

test('a start that fails shows its cause, what the program wrote, and when the next is tried', OPTIONS, async () => {
  const page = await open('#/service/broken');
  await page.getByRole('button', { name: 'Wake' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Wake' }).click();
  await shows(page, /^The start failed: /);
  await shows(page, 'exit code 3');
  await page.getByLabel('Last output').getByText('no database').waitFor();
});

test('an endpoint is drained, weighed and taken back, each behind a question', OPTIONS, async () => {
  const page = await open('#/service/wiki');
  const row = page.getByRole('row', { name: /^127\.0\.0\.1:9 / });
  const answer = async (button: string | RegExp) => {
    await row.getByRole('button', { name: button }).click();
    return page.getByRole('dialog');
  };
  await (await answer(/^Drain/)).getByRole('button', { name: 'Drain' }).click();
  await row.getByText('out-of-use: drained').waitFor();
  const asking = await answer(/^Weight/);
  await asking.getByLabel('Weight').fill('7');
  await asking.getByRole('button', { name: 'Set' }).click();
  await row.getByText('7 (by hand)').waitFor();
  await (await answer(/^Undrain/)).getByRole('button', { name: 'Undrain' }).click();
  await row.getByText('in-use').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test(
  'more tabs than a browser has connections for all follow, also when the one that has the stream goes',
  OPTIONS,
  async () => {
    const first = await open('');
    const tabs = [first];
    while (tabs.length < 7) {
      const tab = await first.context().newPage();
      await loadPage(tab, first.url());
      tabs.push(tab);
    }
    const follow = (tab: Page) => tab.locator('.link[data-link=following]').waitFor({ timeout: SHOWN_MS });
    await Promise.all(tabs.map(follow));
    await first.close();
    const last = tabs.at(-1) as Page;
    await last.evaluate("location.hash = '#/service/shop'");
    await stateOf(last).filter({ hasText: /\w/ }).waitFor({ timeout: SHOWN_MS });
    const asOf = () => last.evaluate('document.body.classList.contains("old")');
    await last.waitForTimeout(5000);
    expect(await asOf()).toBe(false);
  },
);

test('the way of a request is explained', OPTIONS, async () => {
  const page = await open('#/routes');
  await page.getByRole('row', { name: /wiki\.test \/w wiki/ }).waitFor();
  await page.getByLabel('URL').fill(`http://wiki.test:${proxy.port}/w/page`);
  await page.getByRole('button', { name: 'Explain' }).click();
  await shows(page, 'It goes to wiki:');
});

test('what is shown is said to be old when nothing comes any more, and is live again after that', OPTIONS, async () => {
  const page = await open('');
  await page.locator('.link[data-link=following]').waitFor();
  proxy.signal('SIGSTOP');
  try {
    await shows(page, /What is shown is old: it is as of \d\d:\d\d:\d\d/);
  } finally {
    proxy.signal('SIGCONT');
  }
  await page.locator('.link[data-link=following]').waitFor();
  await page.locator('#banner:empty').waitFor({ state: 'attached' });
});

const PAGES = [
  '',
  '#/service/shop',
  '#/service/broken',
  '#/events',
  '#/routes',
  '#/sources',
  '#/costs',
  '#/certificates',
];

/** All that axe looks for, and colours once more where they are others. */
const LOOKS = [
  ['light', 'axe.run()'],
  ['dark', "axe.run({ runOnly: ['color-contrast'] })"],
] as const;

async function violations(page: Page, fragment: string, look: string): Promise<unknown[]> {
  const result = (await page.evaluate(look)) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return result.violations.map(({ id, nodes }) => [
    fragment,
    id,
    ...nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
  ]);
}

const axe = () => readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

test(
  'the members of a cluster are shown to those that are in one, on a phone too, and axe finds nothing wrong',
  OPTIONS,
  async () => {
    const alone = await open('');
    await alone.locator('.link[data-link=following]').waitFor();
    expect(await alone.getByRole('link', { name: 'Cluster' }).isHidden()).toBe(true);

    let cluster: ClusterStatus = {
      name: 'edge',
      self: '10.0.0.8:9401',
      leader: { member: '10.0.0.7:9401', index: 89 },
      trouble: null,
      members: [
        { member: '10.0.0.7:9401', silentMs: 0, edges: ['10.0.0.7:9401/edge-1'], build: '0.1.0', index: 89 },
        { member: '10.0.0.8:9401', silentMs: 420, edges: ['10.0.0.8:9401/edge-1'], build: '0.1.0', index: 89 },
        { member: '10.0.0.9:9401', silentMs: null, edges: [], build: null, index: 15 },
      ],
      orders: null,
      isSettling: false,
      absent: ['10.0.0.9:9401/edge-1'],
    };
    const api: Pick<ControlApi, 'services' | 'subscribe' | 'cluster'> = {
      services: async () => [],
      subscribe: () => () => undefined,
      cluster: async () => cluster,
    };
    const admin = createAdmin({
      settings: { address: { host: '127.0.0.1', port: 0 }, token: undefined },
      api: api as ControlApi,
      routes: { list: () => [], explain: () => Promise.reject(new Error('not asked for')) as never },
      renderMetrics: () => '',
      logLevel: { get: () => 'silent', set: () => undefined },
      logger: silentLogger,
    });
    onTestFinished(() => admin.close());
    const { port } = await admin.listen();
    const page = await open('', { token: '', port, viewport: { width: 360, height: 740 } });
    await page.getByRole('link', { name: 'Cluster' }).click();
    await page.getByRole('row', { name: '10.0.0.7:9401 leads 0.1.0 1 – 89' }).waitFor();
    await page.getByRole('row', { name: /^10\.0\.0\.8:9401 \(this one\) follows 0\.1\.0 1 .* ago 89$/ }).waitFor();
    await page.getByRole('row', { name: '10.0.0.9:9401 not connected to the leader – 0 – 15' }).waitFor();
    await shows(page, /^Out of sight, .*10\.0\.0\.9:9401\/edge-1$/);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await page.evaluate(axe());
    for (const [scheme, look] of LOOKS) {
      await page.emulateMedia({ colorScheme: scheme });
      expect(await violations(page, scheme, look)).toEqual([]);
    }
    cluster = { ...cluster, leader: null, trouble: 'cannot begin a session in Consul' };
    await shows(page, 'nobody leads');
    await shows(page, 'cannot begin a session in Consul');
  },
);

test.each(LOOKS)('axe finds nothing wrong with any page (%s)', OPTIONS, async (colorScheme, look) => {
  const page = await open('', { colorScheme });
  await page.locator('.link[data-link=following]').waitFor();
  await page.evaluate(axe());
  const found: unknown[] = [];
  for (const fragment of PAGES) {
    await page.evaluate(`location.hash = '${fragment || '#/'}'`);
    await page.getByText('Loading…').waitFor({ state: 'detached' });
    found.push(...(await violations(page, fragment, look)));
  }
  expect(found).toEqual([]);
});

test('no page is wider than a phone', OPTIONS, async () => {
  const page = await open('', { viewport: { width: 360, height: 740 } });
  await page.locator('.link[data-link=following]').waitFor();
  for (const fragment of PAGES) {
    await page.evaluate(`location.hash = '${fragment || '#/'}'`);
    await page.getByText('Loading…').waitFor({ state: 'detached' });
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect([fragment, width]).toEqual([fragment, 360]);
  }
});
