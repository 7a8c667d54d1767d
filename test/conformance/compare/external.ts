import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { Client } from '../harness/client.ts';
import type { Lane } from '../harness/lane.ts';
import { Origin } from '../harness/origin.ts';
import { LANES, type Subject } from './subject.ts';

const run = promisify(execFile);

/** A proxy that is a program of its own, from Debian's package of its name. */
interface External {
  name: string;
  program: string;
  versionArguments: string[];
  configure: (lanes: readonly Lane[], folder: string) => string;
  startArguments: (configuration: string) => string[];
}

/** Waits of the other proxies are short, so that what they wait for in vain does not hold the run up. */
const haproxy: External = {
  name: 'HAProxy',
  program: 'haproxy',
  versionArguments: ['-v'],
  configure: (lanes) =>
    [
      'global',
      '  maxconn 2000',
      'defaults',
      '  mode http',
      '  timeout connect 2s',
      '  timeout client 2s',
      '  timeout server 2s',
      '  timeout http-request 1s',
      ...lanes.flatMap(({ port, origin }, index) => [
        `frontend f${index}`,
        `  bind 127.0.0.1:${port}`,
        `  default_backend b${index}`,
        `backend b${index}`,
        `  server origin 127.0.0.1:${origin.port}`,
      ]),
      '',
    ].join('\n'),
  startArguments: (configuration) => ['-db', '-f', configuration],
};

const nginx: External = {
  name: 'nginx',
  program: 'nginx',
  versionArguments: ['-v'],
  configure: (lanes, folder) =>
    [
      'daemon off;',
      'master_process off;',
      `pid ${folder}/pid;`,
      'error_log stderr crit;',
      'events { worker_connections 1024; }',
      'http {',
      '  access_log off;',
      ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `  ${kind}_temp_path ${folder}/${kind};`),
      '  client_header_timeout 1s;',
      '  client_body_timeout 1s;',
      '  proxy_read_timeout 2s;',
      '  proxy_http_version 1.1;',
      '  proxy_set_header Connection "";',
      '  proxy_set_header Host $host;',
      ...lanes.flatMap(({ port, origin }, index) => [
        `  upstream o${index} { server 127.0.0.1:${origin.port}; keepalive 16; }`,
        `  server { listen 127.0.0.1:${port}; location / { proxy_pass http://o${index}; } }`,
      ]),
      '}',
      '',
    ].join('\n'),
  startArguments: (configuration) => ['-e', 'stderr', '-c', configuration],
};

export const externals: Record<string, External> = { haproxy, nginx };

/** Installs the program where it is missing, and starts it as a plain reverse proxy to one origin per lane. */
export async function startExternal(external: External, say: (line: string) => void): Promise<Subject> {
  const version = await versionOf(external, say);
  const folder = await mkdtemp(join(tmpdir(), `conformance-${external.program}-`));
  const lanes = await Promise.all(
    Array.from({ length: LANES }, async () => ({ origin: await Origin.open(), port: await freePort() })),
  );
  const configuration = join(folder, 'configuration');
  await writeFile(configuration, external.configure(lanes, folder));
  const child = spawn(external.program, external.startArguments(configuration), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: SYSTEM_PATH },
  });
  let complaints = '';
  child.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes.toString();
  });
  const stop = () => stopAll(child, lanes, folder);
  try {
    await until(`${external.name} to listen`, () => {
      if (child.exitCode !== null) throw new Error(`${external.name} ended: ${complaints.trim()}`);
      return listens(lanes);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { name: external.name, version, lanes, stop };
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

async function versionOf(external: External, say: (line: string) => void): Promise<string> {
  const ask = async () => {
    const { stdout, stderr } = await run(external.program, external.versionArguments, { env: { PATH: SYSTEM_PATH } });
    return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'unknown';
  };
  try {
    return await ask();
  } catch {
    say(`${external.name} is missing: apt-get install ${external.program}`);
    await run('apt-get', ['install', '-y', '--no-install-recommends', external.program]);
    return ask();
  }
}

async function listens(lanes: readonly Lane[]): Promise<boolean> {
  try {
    for (const { port } of lanes) (await Client.open(port)).close();
    return true;
  } catch {
    return false;
  }
}

async function stopAll(child: ChildProcess, lanes: readonly Lane[], folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  for (const { origin } of lanes) await origin.close();
  await rm(folder, { recursive: true, force: true });
}
