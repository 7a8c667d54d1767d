import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isMapping } from '../read/mapping.ts';
import { readSettled } from '../read/read-settled.ts';
import type { Env } from '../read/substitute.ts';

/** The text of an included file. */
export interface IncludedText {
  file: string;
  text: string;
}

/** Most files that are included, and most bytes of all of them. */
const MOST_FILES = 1000;
const MOST_BYTES = 64 * 1024 * 1024;

/** What could not be included, and why. */
export class IncludeFault extends Error {
  readonly file: string;

  constructor(file: string, message: string) {
    super(message);
    this.file = file;
  }
}

/** The patterns of a file, absolute: where they are and what the names of files look like. */
export async function includePatterns(text: string, file: string, env: Env): Promise<string[]> {
  // Reading it twice is only for those who include anything.
  if (!/(?:^\s*|[{,]\s*)["']?include["']?\s*:/m.test(text)) return [];
  const { readDocument } = await import('../read/document.ts');
  const { value } = readDocument(text, env);
  const written = isMapping(value) ? [value['include']].flat() : [];
  return written.flatMap((pattern) => {
    // One with a star in its folder is no pattern: the check says so.
    const isOne = typeof pattern === 'string' && pattern !== '' && !dirname(pattern).includes('*');
    return isOne ? resolve(dirname(file), pattern) : [];
  });
}

/** Whether the name of a file is one that a pattern means; those that begin with a dot are not, as for a shell. */
export function isIncluded(pattern: string, name: string): boolean {
  const parts = basename(pattern).split('*');
  const escaped = parts.map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return !name.startsWith('.') && new RegExp(`^${escaped.join('[^/]*')}$`).test(name);
}

/** The files that patterns mean now, in the order of their names. @throws IncludeFault */
export async function readIncluded(patterns: readonly string[]): Promise<IncludedText[]> {
  const files = new Set((await Promise.all(patterns.map(filesOf))).flat());
  if (files.size > MOST_FILES) throw new IncludeFault('', `include means ${files.size} files; at most ${MOST_FILES}`);
  const texts: IncludedText[] = [];
  let size = 0;
  for (const file of [...files].sort()) {
    const text = await readText(file);
    size += text.length;
    if (size > MOST_BYTES) throw new IncludeFault(file, 'the included files are too large together (64 MiB)');
    texts.push({ file, text });
  }
  return texts;
}

async function filesOf(pattern: string): Promise<string[]> {
  if (!basename(pattern).includes('*')) return [pattern];
  const folder = dirname(pattern);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Nothing is in it yet.
    if (error.code === 'ENOENT') return [];
    throw new IncludeFault(folder, `cannot be read (${error.code})`);
  });
  return names.filter((name) => isIncluded(pattern, name)).map((name) => join(folder, name));
}

async function readText(file: string): Promise<string> {
  const read = await readSettled(file).catch((error: NodeJS.ErrnoException) => {
    throw new IncludeFault(file, error.code === 'ENOENT' ? 'no such file' : `cannot be read (${error.code})`);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(read.bytes);
  } catch {
    throw new IncludeFault(file, 'this is not UTF-8 text');
  }
}
