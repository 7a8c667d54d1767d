import { dirname, resolve } from 'node:path';
import { assemble } from '../assemble.ts';
import { checkAddresses } from '../check/addresses.ts';
import { checkProxy } from '../check/proxy.ts';
import { createReport } from '../check/report.ts';
import { checkServices } from '../check/services.ts';
import type { Parsed } from '../check/validate.ts';
import { validate } from '../check/validate.ts';
import { checkWorkers } from '../check/workers.ts';
import type { Config } from '../schema/schema.ts';
import { configSchema } from '../schema/schema.ts';
import { readDocument } from './document.ts';
import { type Env, environmentDefaults } from './environment.ts';
import type { LoadResult } from './load.ts';

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
