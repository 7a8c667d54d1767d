import type { ConfigDocument, Entry, Finding, Position } from './document.ts';
import { isMapping, type Mapping } from './mapping.ts';
import type { Path } from './path.ts';

/** An included file, read. */
interface IncludedDocument {
  file: string;
  document: ConfigDocument;
}

/** A file with the services of those that it includes: everything that stands in one of them says so by its position. */
export function joinDocuments(main: ConfigDocument, included: readonly IncludedDocument[]): ConfigDocument {
  if (included.length === 0 || !isMapping(main.value)) return main;
  const findings: Finding[] = [...main.findings];
  const owners = new Map<string, IncludedDocument>();
  const own = isMapping(main.value['services']) ? main.value['services'] : {};
  const services: Mapping = Object.assign(Object.create(null), own);
  for (const part of included) {
    const { file, document } = part;
    const complain = (path: Path, message: string): void => {
      const { key, value } = document.entry(path) ?? { key: undefined, value: { line: 1, column: 1 } };
      findings.push({ path, position: { ...(key ?? value), file }, message });
    };
    findings.push(...document.findings.map((finding) => ({ ...finding, position: { ...finding.position, file } })));
    const { value } = document;
    if (!document.wellFormed || value === null || value === undefined) continue;
    if (!isMapping(value)) {
      complain([], 'expected a mapping with services');
      continue;
    }
    for (const key of Object.keys(value)) {
      if (key !== 'services' && !key.startsWith('x-'))
        complain([key], 'an included file has services and nothing else');
    }
    const more = value['services'] ?? {};
    if (!isMapping(more)) {
      complain(['services'], 'expected a mapping');
      continue;
    }
    for (const [name, service] of Object.entries(more)) {
      const owner = owners.get(name);
      const where = owner === undefined ? 'the file that includes this one' : owner.file;
      if (Object.hasOwn(services, name)) complain(['services', name], `the service is already in ${where}`);
      else {
        services[name] = service;
        owners.set(name, part);
      }
    }
  }
  return {
    value: { ...main.value, services },
    wellFormed: main.wellFormed && included.every(({ document }) => document.wellFormed),
    findings,
    entry: (path) => {
      const owner = path[0] === 'services' && typeof path[1] === 'string' ? owners.get(path[1]) : undefined;
      if (owner === undefined) return main.entry(path);
      const entry = owner.document.entry(path);
      return entry && within(owner.file, entry);
    },
  };
}

function within(file: string, entry: Entry): Entry {
  const at = (position: Position): Position => ({ ...position, file });
  return { ...entry, value: at(entry.value), key: entry.key && at(entry.key) };
}
