import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { Tool } from './tools.ts';

/** How a tool says its version; those without an entry are parts of others. */
const VERSION_FLAG: Partial<Record<Tool, string>> = {
  wrk: '-v',
  h2load: '--version',
  nginx: '-v',
  haproxy: '-v',
  caddy: 'version',
  openssl: 'version',
  taskset: '-V',
};

/** The machine and the versions of all that takes part, as lines to print. */
export function describeMachine(tools: ReadonlySet<Tool>): string {
  const versions = [...tools].flatMap(
    (tool) => VERSION_FLAG[tool] && `${tool} ${toolVersion(tool, VERSION_FLAG[tool])}`,
  );
  const { autocannon, proxy } = { autocannon: versionOf('autocannon'), proxy: versionOf('http-proxy') };
  const models = new Set(cpus().map(({ model }) => model));
  return [
    `${cpus().length} cores (${[...models].join(', ')}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}`,
    `Node ${process.version}, V8 ${process.versions.v8}; http-proxy ${proxy}, autocannon ${autocannon}`,
    versions.filter((version) => version !== undefined).join(', '),
  ].join('\n');
}

function toolVersion(tool: Tool, flag: string): string {
  const { stdout, stderr } = spawnSync(tool, [flag], { encoding: 'utf8' });
  return /\d+\.[\d.]+[\w+.-]*/.exec(stdout + stderr)?.[0] ?? 'of unknown version';
}

function versionOf(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
