/**
 * Draws the picture of docs/scaling.md: Pilotlight and Kubernetes' HPA under a step, on virtual time, as the report of
 * `pilotlight simulate` shows them. Needs Chromium, or root on Debian to install it.
 *
 *   npm run -s simulate:picture -- docs/images/scaling-step.png
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { reportPage } from '../src/simulate/report/page.ts';
import { hpa } from '../src/simulate/rivals/hpa.ts';
import { type Case, outcomeOf } from '../test/simulate/search/case.ts';
import { CHROMIUM_ARGUMENTS, findOrInstallChromium } from '../test/support/chromium.ts';
import { readOrRefuse } from './support/arguments.ts';

const STEP: Case = {
  service: 'scale: { min: 1, max: 10, idle: never, latency: { above: 500ms } }',
  app: 'time:exponential:20ms,slots:1,start:1.5s',
  load: 'step:10,150@60s,10@5m',
  running: 1,
  seconds: 900,
  seed: 1,
};

const file = readOrRefuse('usage: npm run -s simulate:picture -- FILE.png', () => {
  const [path, ...more] = parseArgs({ allowPositionals: true }).positionals;
  if (path === undefined || more.length > 0 || !path.endsWith('.png')) throw new Error('one FILE.png is expected');
  return path;
});

const outcomes = [
  { policy: 'Pilotlight', seed: 1, services: [await outcomeOf(STEP)] },
  { policy: "Kubernetes' HPA on latency", seed: 1, services: [await outcomeOf(STEP, hpa())] },
];
const folder = await mkdtemp(join(tmpdir(), 'pilotlight-picture-'));
const executablePath = await findOrInstallChromium();
const browser = await chromium.launch({ executablePath, headless: true, args: CHROMIUM_ARGUMENTS });
try {
  const report = join(folder, 'report.html');
  await writeFile(report, reportPage({ title: STEP.load, assumed: [], outcomes }));
  const page = await browser.newPage({ viewport: { width: 1240, height: 1000 }, colorScheme: 'light' });
  await page.goto(pathToFileURL(report).href);
  // Nothing is shed, fails or is lost; and values under a pointer are none without one.
  const hidden = '.column > .uplot:last-child, .u-legend .u-value, .u-legend .u-series:first-child';
  await page.addStyleTag({ content: `${hidden} { display: none } body { margin: 0 } #plots { padding: 0 1rem }` });
  await page.locator('.mark').first().waitFor({ state: 'attached' });
  await mkdir(dirname(file), { recursive: true });
  await page.locator('#plots').screenshot({ path: file });
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}
console.log(`drawn: ${file}`);
