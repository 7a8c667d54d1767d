import type { z } from 'zod';
import { prune } from '../option/walk.ts';
import { isMapping, type Mapping } from '../read/mapping.ts';
import type { Path } from '../read/path.ts';
import type { Config } from '../schema/config.ts';
import { configSchema, serviceName } from '../schema/config.ts';
import type { ServiceConfig } from '../schema/service.ts';
import { defaultsSchema, serviceSchema } from '../schema/service.ts';
import { mergeDefaults } from './merge-defaults.ts';
import type { Report } from './report.ts';

type Sections = Omit<Config, 'services' | 'defaults'>;

/** What could be read of a file: the sections and services that are right on their own. */
export interface Parsed {
  sections: Partial<Sections>;
  services: Map<string, ServiceConfig>;
  /** `defaults` as written. */
  defaults: Mapping;
}

/** A file in which nothing is wrong. */
export interface Complete extends Parsed {
  sections: Sections;
}

/**
 * Runs the schema over a file, section by section and service by service: a mistake in one does not hide those in
 * another. What is wrong goes to the report.
 */
export function validate(value: unknown, report: Report): Parsed {
  const parsed: Parsed = { sections: {}, services: new Map(), defaults: {} };
  if (!isMapping(value)) {
    const message =
      value === null ? 'nothing in it: listen and services are required' : 'expected a mapping at the top';
    report.problem([[]], message);
    return parsed;
  }
  const { services, defaults: _defaults, ...rest } = configSchema.shape;
  const file = prune(configSchema, value) as Record<string, unknown>;

  // What begins with x- is a place for anchors, as in files of Docker Compose.
  const unknown = Object.keys(file).filter((key) => !Object.hasOwn(configSchema.shape, key) && !key.startsWith('x-'));
  report.unknownKeys([], unknown);

  for (const [key, schema] of Object.entries(rest)) {
    const section = parse(schema, file[key], [key], report);
    if (section !== undefined) (parsed.sections as Record<string, unknown>)[key] = section;
  }

  const defaults = isMapping(file['defaults']) ? file['defaults'] : {};
  parsed.defaults = defaults;
  // Only for what is wrong with it: the merged services are what is used.
  parse(defaultsSchema, mergeShorthand(file['defaults']), ['defaults'], report);

  if (!isMapping(file['services'])) {
    parse(services, file['services'], ['services'], report);
    return parsed;
  }
  for (const [name, own] of Object.entries(file['services'])) {
    const named = serviceName.safeParse(name);
    if (!named.success) report.keyProblem(['services', name], named.error.issues[0]?.message ?? '');
    const service = validateService(name, own, defaults, report);
    if (service !== undefined) parsed.services.set(name, service);
  }
  return parsed;
}

/** Runs the schema over one service. @param defaults as written, pruned */
export function validateService(
  name: string,
  own: unknown,
  defaults: Mapping,
  report: Report,
): ServiceConfig | undefined {
  const written = isMapping(own) ? mergeDefaults(defaults, own) : own;
  return parse(serviceSchema, written, ['services', name], report);
}

function mergeShorthand(defaults: unknown): unknown {
  return isMapping(defaults) ? mergeDefaults({}, defaults) : defaults;
}

function parse<S extends z.ZodType>(schema: S, value: unknown, path: Path, report: Report): z.output<S> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) report.issue(path, issue);
  return undefined;
}
