import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { compare } from '../../src/simulate/recycling/compare.ts';
import { DAY_MS, generateServices } from '../../src/simulate/recycling/generate.ts';
import { fixedKeep } from '../../src/simulate/recycling/keep-policy.ts';
import { ownPolicy } from '../../src/simulate/recycling/own-policy.ts';
import { frontReport } from '../../src/simulate/recycling/tables.ts';
import { changeText, decidedAt } from '../../src/simulate/report/figures.ts';
import { frontPage } from '../../src/simulate/report/front-page.ts';
import { reportPage } from '../../src/simulate/report/page.ts';
import { fixed } from '../../src/simulate/rivals/fixed.ts';
import { type Case, outcomeOf } from '../simulate/search/case.ts';
import { CHROMIUM_ARGUMENTS } from '../support/chromium.ts';

/** One replica is too few for it. */
const CASE: Case = {
  service: 'scale: { min: 1, max: 3, idle: never, latency: { above: 300ms } }',
  app: 'time:exponential:20ms,slots:1,start:1s',
  load: 'step:10,90@10s',
  running: 1,
  seconds: 60,
  seed: 1,
};
const FRONTS = { file: 'fronts.html', sign: '.u-legend' };
let folder: string;
let browser: Browser;
/** The first decision that the report tells, in its words. */
let told: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilotlight-report-'));
  const ours = await outcomeOf(CASE);
  const outcomes = [
    { policy: 'pilotlight', seed: 1, services: [ours] },
    { policy: 'fixed:2', seed: 1, services: [await outcomeOf(CASE, fixed(2))] },
  ];
  const [first] = ours.decisions;
  if (first === undefined) throw new Error('nothing was decided, so nothing can be pointed at');
  const [verdict] = first.verdicts;
  told = [
    `${decidedAt(first).toFixed(1)} s: ${changeText(first)}: ${first.reason}`,
    `${verdict?.guard} ${verdict?.verdict}: ${verdict?.detail}`,
  ];
  const title = `app, 1m of ${CASE.load}, seed 1`;
  await writeFile(join(folder, 'report.html'), reportPage({ title, assumed: ['a start takes 1 s'], outcomes }));
  await writeFile(join(folder, 'fronts.html'), fronts());
  browser = await chromium.launch({ executablePath: inject('chromium'), headless: true, args: CHROMIUM_ARGUMENTS });
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A day of a few services, for two weights and two rivals. */
function fronts(): string {
  const services = [...generateServices({ services: 12, days: 1, seed: 3 })].filter(({ at }) => at.length < 2000);
  const policies = [fixedKeep('fixed 5m', 300_000), fixedKeep('fixed 20m', 1_200_000), ownPolicy(15), ownPolicy(150)];
  const outcomes = compare(services, policies, DAY_MS);
  const comparison = { rivals: outcomes.slice(0, 2), ours: outcomes.slice(2), usual: ownPolicy(150).name };
  return frontPage(frontReport('Memory against waiting', ['a note'], comparison));
}

/** Opens a page; whatever it complains of is in `complaints`. */
async function open(
  options: BrowserContextOptions = {},
  { file, sign }: Record<'file' | 'sign', string> = { file: 'report.html', sign: '.mark' },
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage(options);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  await page.goto(pathToFileURL(join(folder, file)).href);
  await page.locator(sign).first().waitFor({ state: 'attached' });
  return { page, complaints };
}

/** How many colours a plot is drawn in, its background not counted. */
function coloursOf(page: Page): Promise<number[]> {
  return page.locator('canvas').evaluateAll((canvases) =>
    canvases.map((canvas) => {
      const { width, height } = canvas as unknown as { width: number; height: number };
      const context = (canvas as unknown as { getContext(kind: '2d'): Pixels }).getContext('2d');
      const { data } = context.getImageData(0, 0, width, height);
      const found = new Set<string>();
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] === 255) found.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
      }
      return found.size;
    }),
  );
}

interface Pixels {
  getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
}

test('plots are drawn, and nothing is complained of', async () => {
  const { page, complaints } = await open();
  const colours = await coloursOf(page);
  expect(colours).toHaveLength(8);
  // Of the last plot of a policy (what was not answered) every line lies on the axis.
  for (const [index, count] of colours.entries()) if (index % 4 !== 3) expect(count).toBeGreaterThan(2);
  expect(complaints).toEqual([]);
  await page.close();
});

test('a decision tells what it was and why when it is pointed at, and only then', async () => {
  const { page } = await open();
  const mark = page.locator('.mark').first();
  const tip = mark.locator('.tip');
  expect(await tip.isVisible()).toBe(false);
  await mark.hover();
  await tip.waitFor({ state: 'visible' });
  for (const line of told) expect(await tip.innerText()).toContain(line);
  await page.mouse.move(0, 0);
  await tip.waitFor({ state: 'hidden' });
  await page.close();
});

test('on a telephone nothing but the tables is wider than the screen', async () => {
  const { page, complaints } = await open({ viewport: { width: 360, height: 740 } });
  const widths = await page.evaluate(
    `[document.documentElement.scrollWidth, ...[...document.querySelectorAll('canvas')].map((each) => each.getBoundingClientRect().right)]`,
  );
  for (const width of widths as number[]) expect(width).toBeLessThanOrEqual(360);
  await page.locator('.mark').first().hover();
  const box = await page.locator('.tip:visible').boundingBox();
  expect(box?.x).toBeGreaterThanOrEqual(0);
  expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(360);
  expect(complaints).toEqual([]);
  await page.close();
});

test('text and plots are light on dark where the reader likes it so', async () => {
  const brightness = async (page: Page) => {
    const colours = (await page.evaluate(
      `[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]`,
    )) as string[];
    return colours.map((colour) =>
      (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0),
    );
  };
  const dark = await open({ colorScheme: 'dark' });
  const light = await open({ colorScheme: 'light' });
  const [darkPaper = 0, darkInk = 0] = await brightness(dark.page);
  const [lightPaper = 0, lightInk = 0] = await brightness(light.page);
  expect(darkInk - darkPaper).toBeGreaterThan(500);
  expect(lightPaper - lightInk).toBeGreaterThan(500);
  expect(dark.complaints).toEqual([]);
  await dark.page.close();
  await light.page.close();
});

test('fronts are drawn with their names, and the tables tell how ours stands to each rival', async () => {
  const { page, complaints } = await open({ viewport: { width: 360, height: 740 } }, FRONTS);
  for (const count of await coloursOf(page)) expect(count).toBeGreaterThan(3);
  const names = await page.locator('.u-legend').first().locator('.u-label').allInnerTexts();
  expect(names).toEqual(['auto', 'fixed 5m', 'fixed 20m', 'auto, weight 150 (the default)']);
  const tables = page.locator('.beside').first().locator('table');
  expect(await tables.nth(0).locator('tr').allInnerTexts()).toHaveLength(3);
  expect(await tables.nth(1).locator('tr').allInnerTexts()).toHaveLength(5);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  expect(complaints).toEqual([]);
  await page.close();
});
