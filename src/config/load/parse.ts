import { dirname, resolve } from 'node:path';
import type { Settings } from '../../model/settings.ts';
import { checkAddresses } from '../check/addresses.ts';
import type { Problem } from '../check/problem.ts';
import { createReport } from '../check/report.ts';
import { checkSections } from '../check/sections.ts';
import { checkServices } from '../check/services.ts';
import { checkTcp } from '../check/tcp.ts';
import { usesOf } from '../check/uses.ts';
import { type Complete, validate } from '../check/validate.ts';
import { checkWorkers } from '../check/workers.ts';
import { readDocument } from '../read/document.ts';
import type { Env } from '../read/substitute.ts';
import { configSchema } from '../schema/config.ts';
import { assemble } from './assemble.ts';
import { environmentDefaults } from './environment.ts';

/** Either settings that may be used (with what is probably not meant), or everything that is wrong, by position. */
export type ParseResult = { ok: true; settings: Settings; warnings: Problem[] } | { ok: false; problems: Problem[] };

/** As `loadConfig`, for a text that is (or would be) in `file`. */
export function parseConfig(text: string, file: string, env: Env): ParseResult {
  const document = readDocument(text, env);
  const report = createReport(file, document, configSchema);
  if (!document.wellFormed) return { ok: false, problems: report.problems() };

  const parsed = validate(document.value, report);
  const uses = usesOf(parsed, report);
  checkAddresses(parsed, report);
  checkSections(parsed, uses, report);
  checkServices(parsed, report);
  checkTcp(parsed, report);
  checkWorkers(parsed, report);
  const defaults = environmentDefaults(env, parsed, uses, report);

  const problems = report.problems();
  if (problems.length > 0) return { ok: false, problems };
  const settings = assemble(parsed as Complete, uses, defaults, dirname(resolve(file)));
  return { ok: true, settings, warnings: report.warnings() };
}
