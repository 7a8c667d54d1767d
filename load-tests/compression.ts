/**
 * What compression costs and saves, beside nginx: CPU of the proxy per MiB of content, the median time to a whole answer,
 * and how much of the content is sent, by encoding, size and kind of content. Both proxies run on one core and take
 * turns; the load and the service are on another.
 *
 * Usage: `npm run load:compress [-- ROUNDS [MS]]` (3 rounds of 1000 ms each unless told).
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { freePort } from '../test/support/free-port.ts';
import { usageOf } from './bench/process-tree.ts';
import { provideTools } from './bench/tools.ts';
import { nginxHttp, nginxMain } from './bench/upstreams.ts';
import { countsFrom } from './support/arguments.ts';
import { median, pinSelf, startPinned, stopAll, untilListening } from './support/process.ts';
import { startProxy } from './support/proxy.ts';

const MIB = 1024 * 1024;
const [rounds, ms] = countsFrom('usage: npm run load:compress [-- ROUNDS [MS]]', 3, 1000);
const CORES = { proxy: 0, load: 1 };
/** Answers under way at once. */
const CLIENTS = 8;
const PAGES = ['4096', '65536', '1048576', '65536?html'];
const ENCODINGS = ['identity', 'gzip', 'br', 'zstd'];

interface Subject {
  name: string;
  port: number;
  pid: number;
  encodings: string[];
}

interface Sample {
  cpuPerMiB: number;
  p50: number;
  /** Of the content that was sent. */
  share: number;
}

const folder = await mkdtemp(join(tmpdir(), 'pilotlight-compression-'));
try {
  const tools = provideTools();
  pinSelf(CORES.load);
  const proxy = await startProxy(folder, 'pages.mjs', CORES, {}, { compress: true });
  const subjects: Subject[] = [{ name: 'pilotlight', port: proxy.port, pid: proxy.pid, encodings: ENCODINGS }];
  if (tools.has('nginx')) subjects.push(await startNginx(proxy.upstream));
  console.log(`${rounds} rounds of ${ms} ms, ${CLIENTS} answers at once, Node ${process.version}\n`);
  const head = ['content', 'encoding', 'proxy', 'CPU µs/MiB', 'p50 ms', 'sent'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const page of PAGES) {
    for (const encoding of ENCODINGS) {
      const measured = subjects.filter(({ encodings }) => encodings.includes(encoding));
      for (const [index, samples] of (await takeTurns(measured, page, encoding)).entries()) {
        const middle = (of: (sample: Sample) => number) => median(samples.map(of));
        const cpu = middle(({ cpuPerMiB }) => cpuPerMiB).toFixed(0);
        const sent = `${(middle(({ share }) => share) * 100).toFixed(1)} %`;
        table.push([page, encoding, (measured[index] as Subject).name, cpu, middle(({ p50 }) => p50).toFixed(2), sent]);
      }
    }
  }
  console.log(table.toString());
} finally {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
}

/** nginx with the same level, window and least size. Debian's has gzip alone. */
async function startNginx(upstream: number): Promise<Subject> {
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `${nginxMain(folder, 'nginx')}
http {
  ${nginxHttp(folder, 'nginx')}
  proxy_max_temp_file_size 0;
  gzip on;
  gzip_comp_level 5;
  gzip_min_length 1024;
  gzip_proxied any;
  gzip_vary on;
  gzip_types application/json;
  upstream app { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  const { pid = 0 } = startPinned(CORES.proxy, ['nginx', '-c', config, '-e', join(folder, 'nginx.log')]);
  await untilListening(port);
  return { name: 'nginx', port, pid, encodings: ['identity', 'gzip'] };
}

/** Samples of each, round by round; the first round warms up. */
async function takeTurns(subjects: readonly Subject[], page: string, encoding: string): Promise<Sample[][]> {
  const samples: Sample[][] = subjects.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const sample = await load(subject, page, encoding);
      if (round > 0) samples[index]?.push(sample);
    }
  }
  return samples;
}

async function load({ port, pid }: Subject, page: string, encoding: string): Promise<Sample> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const times: number[] = [];
  let sent = 0;
  const ends = performance.now() + ms;
  const before = usageOf(pid).cpuMicros;
  const client = async () => {
    while (performance.now() < ends) {
      const began = performance.now();
      const bytes = await ask(agent, port, `/${page}`, encoding);
      sent += bytes;
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const cpu = usageOf(pid).cpuMicros - before;
  agent.destroy();
  const content = times.length * Number.parseInt(page, 10);
  return { cpuPerMiB: cpu / (content / MIB), p50: median(times), share: sent / content };
}

/** @returns how many bytes of content came */
async function ask(agent: Agent, port: number, path: string, encoding: string): Promise<number> {
  const request = get({ agent, port, path, host: '127.0.0.1', headers: { 'accept-encoding': encoding } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const coded = response.headers['content-encoding'] ?? 'identity';
  if (response.statusCode !== 200 || coded !== encoding) throw new Error(`${response.statusCode} by ${coded}`);
  let bytes = 0;
  response.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  await once(response, 'end');
  return bytes;
}
