import { dirname, resolve } from 'node:path';
import type { Settings } from '../../model/settings.ts';
import { checkAddresses } from '../check/addresses.ts';
import { checkCluster } from '../check/cluster.ts';
import { checkConsul } from '../check/consul.ts';
import { checkGroups } from '../check/groups.ts';
import type { Problem } from '../check/problem.ts';
import { createReport, type Report } from '../check/report.ts';
import { checkSections } from '../check/sections.ts';
import { checkServices } from '../check/services.ts';
import { checkTcp } from '../check/tcp.ts';
import { checkTls } from '../check/tls.ts';
import { usesOf } from '../check/uses.ts';
import { type Complete, validate } from '../check/validate.ts';
import { checkWorkers } from '../check/workers.ts';
import { type Position, readDocument } from '../read/document.ts';
import { joinDocuments } from '../read/joined-document.ts';
import { formatPath, type Path } from '../read/path.ts';
import type { Env } from '../read/substitute.ts';
import { configSchema } from '../schema/config.ts';
import { assemble } from './assemble.ts';
import { environmentDefaults } from './environment.ts';
import type { IncludedText } from './included.ts';

/**
 * Either settings that may be used (with what is probably not meant), or everything that is wrong, by position.
 * `places`: where the certificates of listeners and services are named, by path: whoever reads them may have something to say.
 */
export type ParseResult =
  | { ok: true; settings: Settings; warnings: Problem[]; places: Record<string, Position> }
  | { ok: false; problems: Problem[] };

/**
 * As `loadConfig`, for a text that is (or would be) in `file`.
 * @param included what it includes, in order
 */
export function parseConfig(text: string, file: string, env: Env, included: readonly IncludedText[] = []): ParseResult {
  const parts = included.map((part) => ({ file: part.file, document: readDocument(part.text, env) }));
  const document = joinDocuments(readDocument(text, env), parts);
  const report = createReport(file, document, configSchema);
  if (!document.wellFormed) return { ok: false, problems: report.problems() };

  const parsed = validate(document.value, report);
  const uses = usesOf(parsed, report);
  checkAddresses(parsed, report);
  checkSections(parsed, uses, report);
  checkCluster(parsed, uses, report);
  checkConsul(parsed, report);
  checkServices(parsed, report);
  checkGroups(parsed.services, report);
  checkTcp(parsed, report);
  checkTls(parsed, report);
  checkWorkers(parsed, report);
  const defaults = environmentDefaults(env, parsed, uses, report);

  const problems = report.problems();
  if (problems.length > 0) return { ok: false, problems };
  const settings = assemble(parsed as Complete, uses, defaults, dirname(resolve(file)));
  return { ok: true, settings, warnings: report.warnings(), places: certificatePlaces(settings, report) };
}

function certificatePlaces({ listen, services }: Settings, report: Report): Record<string, Position> {
  const upstream = services.flatMap(({ name, upstream }): Path[] => {
    const base: Path = ['services', name, 'upstream', 'tls'];
    return upstream?.tls === undefined
      ? []
      : [
          [...base, 'ca'],
          [...base, 'cert'],
        ];
  });
  const paths = listen.flatMap(({ tls }, index) => {
    if (tls === undefined) return [];
    const base: Path = ['listen', index, 'tls'];
    const names = tls.names.map((_, at) => [...base, 'names', at, 'clientAuth']);
    const certificates = tls.certificates.map((_, at) => [...base, 'certificates', at]);
    return [[...base, 'clientAuth'], [...base, 'acme', 'ca'], [...base, 'acme', 'eab'], ...names, ...certificates];
  });
  return Object.fromEntries([...paths, ...upstream].map((path) => [formatPath(path), report.place(path)]));
}
