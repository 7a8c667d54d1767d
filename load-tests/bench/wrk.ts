import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Sample } from './sample.ts';

/** What wrk asks for, again and again. */
export interface WrkRequest {
  method?: string;
  /** Length of the request's body, bytes. */
  body?: number;
  headers?: Record<string, string>;
  /** Asked for in turn; one without them: `/` of the address itself. */
  targets?: readonly { host: string; path: string }[];
}

/** Statistics of wrk's own, printed so that they need no parsing of prose. Latencies are µs. */
const REPORT = `done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('RESULT {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"failed":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`;
/** More than any round takes, ms: a proxy that hangs must not hang the bench. */
const GRACE_MS = 30_000;

/** Writes the script of a request into a folder; returns its path. */
export async function writeScript(folder: string, name: string, request: WrkRequest): Promise<string> {
  const lines = [`wrk.method = ${quoted(request.method ?? 'GET')}`];
  if (request.body !== undefined) lines.push(`wrk.body = string.rep("x", ${request.body})`);
  for (const [field, value] of Object.entries(request.headers ?? {})) {
    lines.push(`wrk.headers[${quoted(field)}] = ${quoted(value)}`);
  }
  if (request.targets !== undefined) lines.push(...inTurn(request.targets));
  const file = join(folder, `${name}.lua`);
  await writeFile(file, `${lines.join('\n')}\n${REPORT}`);
  return file;
}

/** Runs wrk, with one thread unless told: as many requests as it gets answered on so many connections. */
export async function runWrk(
  url: string,
  script: string,
  { connections, seconds, threads = 1 }: { connections: number; seconds: number; threads?: number },
): Promise<Sample> {
  const args = [`-t${threads}`, `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url];
  const { stdout } = await promisify(execFile)('wrk', args, { timeout: seconds * 1000 + GRACE_MS });
  const line = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk said nothing of its results:\n${stdout}`);
  const { requests, micros, p50, p99, failed } = JSON.parse(line) as Record<string, number>;
  return {
    requests: requests ?? 0,
    seconds: (micros ?? 0) / 1e6,
    p50: (p50 ?? 0) / 1000,
    p99: (p99 ?? 0) / 1000,
    failed: failed ?? 0,
  };
}

function inTurn(targets: readonly { host: string; path: string }[]): string[] {
  const requests = targets.map(({ host, path }) => {
    return `wrk.format(nil, ${quoted(path)}, { Host = ${quoted(host)} })`;
  });
  return [
    'local requests, turn = {}, 0',
    `init = function() requests = { ${requests.join(', ')} } end`,
    'request = function() turn = turn % #requests + 1; return requests[turn] end',
  ];
}

/** A Lua string; JSON's escapes are Lua's for the plain ASCII that stands here. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
