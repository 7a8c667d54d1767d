/**
 * Pilotlight beside HAProxy, nginx, Caddy and the http-proxy package, in one run: the proxy on one core, load and
 * upstream on another, rounds of all proxies taking turns. Prints medians with their spread; instructions and cache
 * misses per request, too, where the processor counts them. Where there are four cores or more, several workers get half
 * of them: how throughput grows with them.
 *
 * Usage: `npm run bench [-- --only small-get,post --proxies pilotlight,haproxy --rounds 5 --seconds 4]`. Without
 * `--only`, the workloads are those that the README tells of; the others, `direct` (no proxy at all), and `bare-tls` and
 * `bare-tls-proxy` (the least that Node ends TLS with) are measured where they are named. With `--against REF` another
 * checkout of Pilotlight takes the place of the other proxies, unless `--proxies` names some: ratios then compare with
 * it. All programs come from Debian: installed when root runs this, else the missing ones are named.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../test/support/certificates.ts';
import { checkoutAt, OWN_ROOT } from './bench/checkout.ts';
import { whyUncounted } from './bench/counters.ts';
import { describeMachine } from './bench/machine.ts';
import { measure } from './bench/measure.ts';
import { readOptions } from './bench/options.ts';
import { PROXIES } from './bench/proxies.ts';
import { BEFORE, referenceNamed, renderTable, renderVerdict } from './bench/report.ts';
import { provideTools } from './bench/tools.ts';
import { startUpstreams } from './bench/upstreams.ts';
import { HALF } from './bench/workload.ts';
import { WORKLOADS } from './bench/workloads.ts';
import { readOrRefuse } from './support/arguments.ts';
import { pinSelf, stopAll } from './support/process.ts';

const PROXY_CORE = 0;
const LOAD_CORE = Math.min(1, cpus().length - 1);

const known = { workloads: Object.keys(WORKLOADS), proxies: Object.keys(PROXIES) };
const usage = 'usage: npm run bench [-- --only NAME,… --proxies NAME,… --rounds N --seconds N]';
const options = readOrRefuse(usage, () => readOptions(process.argv.slice(2), known));
const tools = provideTools();
if (!tools.has('wrk') || !tools.has('nginx')) {
  console.error('without wrk (the load) and nginx (the upstream) nothing can be measured');
  process.exit(1);
}
const uncounted = whyUncounted(tools);
if (uncounted !== undefined) console.log(`instructions and cache misses are not counted: ${uncounted}`);
console.log(`${describeMachine(tools)}\n${options.rounds} rounds of ${options.seconds} s: medians (least–most)`);
const states = options.against && `pilotlight is ${checkoutAt(OWN_ROOT).name}, before is ${options.against.name}`;
console.log(states === undefined ? '' : `${states}\n`);

for (const [name, workload] of Object.entries(WORKLOADS)) {
  if (options.only.length === 0 ? workload.isAside : !options.only.includes(name)) continue;
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-bench-'));
  try {
    console.log(`${name}: ${workload.title}`);
    const isSpread = workload.spread === true && HALF > 1;
    const core = isSpread ? `0-${HALF - 1}` : PROXY_CORE;
    const loadCores = isSpread ? `${HALF}-${cpus().length - 1}` : LOAD_CORE;
    pinSelf(loadCores);
    const upstreams = await startUpstreams(folder, loadCores);
    const run = { ...options, core, tools, isCounted: uncounted === undefined };
    const measured = await measure(workload, { folder, upstreams, certificate: makePem(folder) }, run);
    const usual = workload.variants === undefined ? ['haproxy', 'nginx'] : [measured[0]?.subject.name ?? ''];
    console.log(renderTable(measured, options.against === undefined ? usual.map(referenceNamed) : [BEFORE]));
    console.log(options.against === undefined ? '' : `${renderVerdict(measured)}\n`);
  } finally {
    await stopAll();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One file with a certificate and its key, as HAProxy wants them. */
function makePem(folder: string): string {
  const { cert, key } = makeCertificate({ names: ['localhost'] });
  const file = join(folder, 'certificate.pem');
  writeFileSync(file, cert + key);
  return file;
}
