import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Settings } from '../model/settings.ts';
import { assemble } from './assemble.ts';
import { checkAddresses } from './check-addresses.ts';
import { checkProxy } from './check-proxy.ts';
import { checkServices } from './check-services.ts';
import { checkWorkers } from './check-workers.ts';
import { readDocument } from './document.ts';
import { type Env, environmentDefaults } from './environment.ts';
import { parseApart } from './parse-apart.ts';
import type { Problem } from './problem.ts';
import { createReport } from './report.ts';
import type { Config } from './schema.ts';
import { configSchema } from './schema.ts';
import type { Parsed } from './validate.ts';
import { validate } from './validate.ts';

/** Files over this size, bytes, are parsed in a process of its own. Smaller ones are not worth its start. */
const LARGE = 256 * 1024;

/** Either settings that may be used (with what is probably not meant), or everything that is wrong, by position. */
export type LoadResult = { ok: true; settings: Settings; warnings: Problem[] } | { ok: false; problems: Problem[] };

const READ_FAULTS: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'this is a directory, not a file',
  EACCES: 'may not be read (permission denied)',
  EPERM: 'may not be read (permission denied)',
};

/**
 * Reads and checks a configuration file. Never rejects: what is wrong with the file, the file itself included, is in the
 * result. Messages hold no secret's value.
 */
export async function loadConfig(file: string, env: Env): Promise<LoadResult> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return unusable(file, READ_FAULTS[code] ?? `cannot be read (${code})`);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (bytes.length <= LARGE) return parseConfig(text, file, env);
    const result = await parseApart({ text, file, env: { ...env } });
    return result ?? unusable(file, 'cannot be read (the process that parses it ended early)');
  } catch (error) {
    if (error instanceof TypeError && (error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      return unusable(file, 'this is not UTF-8 text');
    }
    throw error;
  }
}

function unusable(file: string, message: string): LoadResult {
  return { ok: false, problems: [{ file, line: 0, column: 0, path: '', message }] };
}

/** As `loadConfig`, for a text that is (or would be) in `file`. */
export function parseConfig(text: string, file: string, env: Env): LoadResult {
  const document = readDocument(text, env);
  const report = createReport(file, document, configSchema);
  if (!document.wellFormed) return { ok: false, problems: report.problems() };

  const parsed = validate(document.value, report);
  const uses = usesOf(parsed, report.given);
  checkAddresses(parsed, report);
  checkProxy(parsed, uses, report);
  checkServices(parsed, report);
  checkWorkers(parsed, report);
  const unset = {
    consulAddress: uses.consul && parsed.sections.consul?.address === undefined,
    dockerSocket: uses.docker && parsed.sections.docker?.socket === undefined,
  };
  const defaults = environmentDefaults(env, unset, report);

  const problems = report.problems();
  if (problems.length > 0) return { ok: false, problems };
  const sections = parsed.sections as Omit<Config, 'services' | 'defaults'>;
  const settings = assemble(sections, parsed.services, uses, defaults, dirname(resolve(file)));
  return { ok: true, settings, warnings: report.warnings() };
}

/** A section is in use when it is there or when a service needs it. */
function usesOf({ services }: Parsed, given: (path: string[]) => boolean): { consul: boolean; docker: boolean } {
  const all = [...services.values()];
  return {
    consul: given(['consul']) || all.some(({ endpoints }) => endpoints.consul !== undefined),
    docker: given(['docker']) || all.some(({ run }) => run?.docker !== undefined),
  };
}
