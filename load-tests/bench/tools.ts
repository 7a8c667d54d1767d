import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What the bench drives, from Debian; each is in the package of its name. */
const TOOLS = ['wrk', 'h2load', 'nginx', 'nginx-stream', 'haproxy', 'caddy', 'openssl', 'perf', 'taskset'] as const;
export type Tool = (typeof TOOLS)[number];

/** The module of nginx that passes TCP on, where Debian's package puts it. */
export const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Debian's package of a tool, where it is not called the same. */
const PACKAGES: Partial<Record<Tool, string>> = {
  h2load: 'nghttp2-client',
  nginx: 'nginx-light',
  'nginx-stream': 'libnginx-mod-stream',
  perf: 'linux-perf',
  taskset: 'util-linux',
};
/** Where Debian puts servers; not on everyone's PATH. */
const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`;

/**
 * Sees to it that the tools are there: as root on a machine with apt-get, missing ones are installed after saying so;
 * elsewhere their packages are named. Returns those that can be used.
 */
export function provideTools(): ReadonlySet<Tool> {
  process.env['PATH'] = PATH;
  const missing = TOOLS.filter((tool) => !isThere(tool));
  const packages = missing.map((tool) => PACKAGES[tool] ?? tool);
  if (missing.length > 0 && process.getuid?.() === 0 && isThere('apt-get')) {
    console.log(`installing from Debian: ${packages.join(' ')}`);
    install(packages);
  } else if (missing.length > 0) {
    console.log(
      `missing: ${missing.join(', ')}; on Debian: apt-get install --no-install-recommends ${packages.join(' ')}`,
    );
  }
  return new Set(TOOLS.filter(isThere));
}

/** Debian starts what it installs where an init system runs; the mask of the run level keeps the servers down. */
function install(packages: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const command = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  if (spawnSync('apt-get', command, { env, stdio: 'ignore' }).status === 0) return;
  spawnSync('apt-get', ['update', '-q'], { env, stdio: 'ignore' });
  const { status, stderr } = spawnSync('apt-get', command, { env, encoding: 'utf8' });
  if (status !== 0) console.log(`apt-get could not install them: ${stderr.trim()}`);
}

function isThere(program: string): boolean {
  if (program === 'nginx-stream') return existsSync(STREAM_MODULE);
  return spawnSync('which', [program], { stdio: 'ignore' }).status === 0;
}
