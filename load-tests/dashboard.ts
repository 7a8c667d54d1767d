/**
 * What the dashboard costs a browser with 500 services that all change every second: frames while the table is scrolled,
 * memory, bytes of the stream, and CPU of the process that serves it. The control plane is made up, all else is what
 * ships. Usage: `npm run load:dashboard -- [SERVICES] [SECONDS]`.
 */
import { type CDPSession, chromium } from 'playwright-core';
import { createAdmin } from '../src/admin/create-admin.ts';
import { silentLogger } from '../src/model/observe.ts';
import { CHROMIUM_ARGUMENTS, findOrInstallChromium } from '../test/support/chromium.ts';
import { countsFrom } from './support/arguments.ts';
import { madeUpControl } from './support/made-up-control.ts';

const [count, seconds] = countsFrom('usage: npm run load:dashboard -- [SERVICES] [SECONDS]', 500, 20);
/** A frame that takes longer is seen as a stutter, ms. */
const STUTTER_MS = 50;
/** Before anything is measured the page has drawn all, ms. */
const SETTLE_MS = 5000;

const admin = createAdmin({
  settings: { address: { host: '127.0.0.1', port: 0 }, token: undefined },
  api: madeUpControl(count),
  routes: { list: () => [], explain: () => Promise.reject(new Error('not asked for')) as never },
  renderMetrics: () => '',
  logLevel: { get: () => 'silent', set: () => undefined },
  logger: silentLogger,
});
const { port } = await admin.listen();
const browser = await chromium.launch({
  executablePath: await findOrInstallChromium(),
  headless: true,
  args: CHROMIUM_ARGUMENTS,
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.getByText(`${count} services`).waitFor();
  const debug = await page.context().newCDPSession(page);
  await page.waitForTimeout(SETTLE_MS);
  const before = await memoryOf(debug);
  // Time of the processor that the page's thread took, whatever else the machine does.
  await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
  const workBefore = await workOf(debug);
  const cpu = process.cpuUsage();
  const frames = (await page.evaluate(`new Promise((resolve) => {
    const frames = [];
    let last = performance.now();
    const end = last + ${seconds * 1000};
    const step = (now) => {
      frames.push(now - last);
      last = now;
      scrollTo(0, (document.body.scrollHeight - innerHeight) * (0.5 + Math.sin(now / 700) / 2));
      if (now < end) requestAnimationFrame(step);
      else resolve(frames);
    };
    requestAnimationFrame(step);
  })`)) as number[];
  const { user, system } = process.cpuUsage(cpu);
  const work = await workOf(debug);
  const share = (name: string) => ((((work[name] ?? 0) - (workBefore[name] ?? 0)) / seconds) * 1000).toFixed(1);
  const after = await memoryOf(debug);
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] as number).toFixed(1);
  const stutters = frames.filter((ms) => ms > STUTTER_MS).length;
  console.log(`${count} services, all of which change every second, scrolled for ${seconds} s`);
  console.log(
    `frames: ${(frames.length / seconds).toFixed(1)} per second, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms, ${stutters} over ${STUTTER_MS} ms`,
  );
  console.log(
    `CPU of the page per second: ${share('TaskDuration')} ms, of it scripts ${share('ScriptDuration')} ms, layout ${share('LayoutDuration')} ms, style ${share('RecalcStyleDuration')} ms`,
  );
  console.log(
    `memory of the page: ${before.heapMiB.toFixed(1)} MiB of JavaScript, ${after.heapMiB.toFixed(1)} MiB after that, ${after.nodes} nodes`,
  );
  console.log(`this process, which serves it: ${(((user + system) / 1e6 / seconds) * 100).toFixed(1)} % of a core`);
} finally {
  await browser.close();
  await admin.close();
}

/** Seconds of the processor by kind of work, since the page's beginning. */
async function workOf(debug: CDPSession): Promise<Record<string, number>> {
  const { metrics } = await debug.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

/** What is left after a full collection. */
async function memoryOf(debug: CDPSession): Promise<{ heapMiB: number; nodes: number }> {
  await debug.send('HeapProfiler.collectGarbage');
  const { usedSize } = await debug.send('Runtime.getHeapUsage');
  const { nodes } = await debug.send('Memory.getDOMCounters');
  return { heapMiB: usedSize / 2 ** 20, nodes };
}
