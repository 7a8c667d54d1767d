/**
 * Draws the pictures of docs/dashboard.md: the demo with a load, light, dark and on a phone, and 500 made-up services.
 * Takes two minutes. Needs Chromium, or root on Debian to install it.
 *
 *   npm run -s dashboard:pictures -- docs/images
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { createAdmin } from '../src/admin/create-admin.ts';
import { silentLogger } from '../src/model/observe.ts';
import { CHROMIUM_ARGUMENTS, findOrInstallChromium } from '../test/support/chromium.ts';
import { freePort } from '../test/support/free-port.ts';
import { readOrRefuse } from './support/arguments.ts';
import { madeUpControl } from './support/made-up-control.ts';
import { startPinned, stopAll, untilListening } from './support/process.ts';

const MANY = 500;
/** For how long the load comes before the pictures, ms: the charts go over two minutes. */
const LOAD_MS = 75_000;
const CLIENTS = 60;
/** What a page has drawn by then, ms. */
const SETTLE_MS = 4000;

const folder = readOrRefuse('usage: npm run -s dashboard:pictures -- FOLDER', () => {
  const [path, ...more] = parseArgs({ allowPositionals: true }).positionals;
  if (path === undefined || more.length > 0) throw new Error('one FOLDER is expected');
  return path;
});

interface Look {
  file: string;
  origin: string;
  fragment: string;
  width?: number;
  height?: number;
}

async function draw(browser: Browser, look: Look): Promise<void> {
  const { file, origin, fragment, width = 1280, height = 860 } = look;
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: 'light',
    deviceScaleFactor: width < 500 ? 2 : 1,
  });
  await page.goto(`${origin}/${fragment}`);
  await page.waitForTimeout(SETTLE_MS);
  const over = (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
  if (over > 0) throw new Error(`${file} is ${over} pixels wider than its window`);
  await page.screenshot({ path: join(folder, file) });
  await page.close();
  console.log(`drawn: ${join(folder, file)}`);
}

/** Requests one after the other, so many at a time, until it is told to stop. */
function load(url: string, clients: number, pauseMs: number): () => void {
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      await fetch(url)
        .then((answer) => answer.arrayBuffer())
        .catch(() => undefined);
      await sleep(pauseMs);
    }
  };
  for (let count = 0; count < clients; count++) void client();
  return () => {
    isOver = true;
  };
}

const [port, adminPort] = [await freePort(), await freePort()];
const browser = await chromium.launch({
  executablePath: await findOrInstallChromium(),
  headless: true,
  args: CHROMIUM_ARGUMENTS,
});
const endings: (() => unknown)[] = [stopAll, () => browser.close()];
try {
  await mkdir(folder, { recursive: true });
  const many = createAdmin({
    settings: { address: { host: '127.0.0.1', port: 0 }, token: undefined },
    api: madeUpControl(MANY),
    routes: { list: () => [], explain: () => Promise.reject(new Error('not asked for')) as never },
    renderMetrics: () => '',
    logLevel: { get: () => 'silent', set: () => undefined },
    logger: silentLogger,
  });
  endings.push(() => many.close());
  const { port: manyPort } = await many.listen();

  startPinned('0-1', [process.execPath, join(import.meta.dirname, '../src/pilotlight.ts'), 'demo'], {
    PILOTLIGHT_DEMO_PORT: String(port),
    PILOTLIGHT_DEMO_ADMIN_PORT: String(adminPort),
  });
  await untilListening(port);
  const origin = `http://127.0.0.1:${adminPort}`;
  // Open from the beginning on: charts begin with the page.
  const watching = await browser.newPage({ viewport: { width: 1280, height: 1240 }, colorScheme: 'light' });
  await watching.goto(`${origin}/#/service/slow`);
  const base = `http://127.0.0.1:${port}`;
  endings.push(load(`${base}/slow`, CLIENTS, 0), load(`${base}/hello`, 2, 400));
  await sleep(LOAD_MS);
  await watching.screenshot({ path: join(folder, 'dashboard-service.png') });
  await watching.emulateMedia({ colorScheme: 'dark' });
  await sleep(1000);
  await watching.screenshot({ path: join(folder, 'dashboard-dark.png') });
  await draw(browser, { file: 'dashboard-services.png', origin, fragment: '', height: 480 });
  await draw(browser, { file: 'dashboard-phone.png', origin, fragment: '', width: 390, height: 844 });
  const fragment = '#/service/slow';
  await draw(browser, { file: 'dashboard-phone-service.png', origin, fragment, width: 390, height: 844 });
  await draw(browser, { file: 'dashboard-many.png', origin: `http://127.0.0.1:${manyPort}`, fragment: '' });
} finally {
  for (const ending of endings.reverse()) await ending();
}
