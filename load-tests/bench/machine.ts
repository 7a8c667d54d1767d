import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { Tool } from './tools.ts';

const VERSION_FLAG: Record<Tool, string> = { wrk: '-v', nginx: '-v', haproxy: '-v', caddy: 'version', taskset: '-V' };

/** The machine and the versions of all that takes part, as lines to print. */
export function describeMachine(tools: ReadonlySet<Tool>): string {
  const { autocannon, proxy } = { autocannon: versionOf('autocannon'), proxy: versionOf('http-proxy') };
  const models = new Set(cpus().map(({ model }) => model));
  return [
    `${cpus().length} cores (${[...models].join(', ')}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}`,
    `Node ${process.version}, V8 ${process.versions.v8}; http-proxy ${proxy}, autocannon ${autocannon}`,
    [...tools].map((tool) => `${tool} ${toolVersion(tool)}`).join(', '),
  ].join('\n');
}

function toolVersion(tool: Tool): string {
  const { stdout, stderr } = spawnSync(tool, [VERSION_FLAG[tool]], { encoding: 'utf8' });
  return /\d+\.[\d.]+[\w+.-]*/.exec(stdout + stderr)?.[0] ?? 'of unknown version';
}

function versionOf(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
