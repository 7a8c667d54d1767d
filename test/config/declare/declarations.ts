import { createReader, type Merged, mergeDeclarations } from '../../../src/config/declare/merge.ts';
import type { Declaration } from '../../../src/model/declarations.ts';
import type { Settings } from '../../../src/model/settings.ts';
import { settingsOf } from '../parse.ts';

/** A file that lets containers declare services, with more lines of YAML at its top. */
export function declaringFile(declare = 'declare: { docker: true }', services = 'services: {}'): Settings {
  return settingsOf(`listen: [{ address: "127.0.0.1:8080" }]\n${declare}\n${services}\n`);
}

/** What a container with these labels declares. */
export function container(name: string, labels: Record<string, string>, more: Partial<Declaration> = {}): Declaration {
  return {
    source: 'docker',
    key: name,
    title: `container ${name}`,
    service: name,
    since: 0,
    labels,
    prefix: 'pilotlight',
    binding: { run: { docker: { container: name } } },
    portAt: ['run', 'docker', 'port'],
    ports: [3000],
    networks: ['bridge'],
    after: [],
    ...more,
  };
}

/** What the file and the declarations come to. */
export function merged(
  file: Settings,
  declarations: readonly Declaration[],
  former: ReadonlyMap<string, Declaration> = new Map(),
): Merged {
  return mergeDeclarations(file, declarations, former, createReader(file));
}
