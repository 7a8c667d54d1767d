import type { ConfigDocument, Entry } from './document.ts';
import { isMapping } from './mapping.ts';
import type { Path } from './path.ts';

const NOWHERE = { line: 0, column: 0 };

/** Options that stand in no file, as a file that was read: its entries have no positions. */
export function treeDocument(value: unknown): ConfigDocument {
  return { value, wellFormed: true, findings: [], entry: (path) => entryOf(valueAt(value, path)) };
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

function entryOf(value: unknown): Entry | undefined {
  const place = { value: NOWHERE, key: undefined };
  if (typeof value === 'string') return { kind: 'text', ...place, written: value, text: value };
  if (Array.isArray(value)) return { kind: 'list', ...place, written: '' };
  return isMapping(value) ? { kind: 'mapping', ...place, written: '' } : undefined;
}
