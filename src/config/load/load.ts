import { readSettled } from '../read/read-settled.ts';
import type { Env } from '../read/substitute.ts';
import { IncludeFault, includePatterns, readIncluded } from './included.ts';
import type { ParseResult } from './parse.ts';
import { parseApart } from './parse-apart.ts';

/** Files over this size, bytes, are parsed in a process of its own. Smaller ones are not worth its start. */
const LARGE = 256 * 1024;

/** What a file gave, and when its content was changed last, ISO 8601; null where it could not be read. */
export type Loaded = ParseResult & { modified: string | null };

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
export async function loadConfig(file: string, env: Env): Promise<Loaded> {
  let bytes: Buffer;
  let modified: string;
  try {
    ({ bytes, modified } = await readSettled(file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return { ...unusable(file, READ_FAULTS[code] ?? `cannot be read (${code})`), modified: null };
  }
  return { ...(await parseBytes(bytes, file, env)), modified };
}

/** As `loadConfig`, of bytes that are (or would be) in `file`. */
export async function parseBytes(bytes: Buffer, file: string, env: Env): Promise<ParseResult> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const included = await readIncluded(await includePatterns(text, file, env));
    const size = included.reduce((sum, part) => sum + part.text.length, bytes.length);
    if (size <= LARGE) {
      // The parser with its libraries keeps 5 MiB: only where it is used.
      const { parseConfig } = await import('./parse.ts');
      return parseConfig(text, file, env, included);
    }
    const result = await parseApart({ text, file, env: { ...env }, included });
    return result ?? unusable(file, 'cannot be read (the process that parses it ended early)');
  } catch (error) {
    if (error instanceof IncludeFault) return unusable(error.file || file, error.message);
    if (error instanceof TypeError && (error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      return unusable(file, 'this is not UTF-8 text');
    }
    throw error;
  }
}

function unusable(file: string, message: string): ParseResult {
  return { ok: false, problems: [{ file, line: 0, column: 0, path: '', message }] };
}
