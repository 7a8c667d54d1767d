import { fork } from 'node:child_process';
import { extname, join } from 'node:path';
import type { Env } from '../read/substitute.ts';
import { freeze } from './compact.ts';
import type { IncludedText } from './included.ts';
import type { ParseResult } from './parse.ts';

const ENTRY = join(import.meta.dirname, `parse-process${extname(import.meta.filename)}`);

/** The text of a configuration, in (or meant for) `file`. */
export interface ParseTask {
  text: string;
  file: string;
  env: Env;
  included: readonly IncludedText[];
}

/**
 * As `parseConfig`, in a process of its own: requests go on meanwhile, and what it takes goes with it. 10,000 services
 * take some 5 s and 400 MiB, of which the settings are a small part; the rest would stay with the process that read them.
 * @returns undefined when that process could not do its work
 */
export async function parseApart(task: ParseTask): Promise<ParseResult | undefined> {
  const child = fork(ENTRY, {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const result = await new Promise<ParseResult | undefined>((resolve) => {
    child.once('message', (message) => resolve(message as ParseResult));
    child.once('error', () => resolve(undefined));
    child.once('disconnect', () => resolve(undefined));
    child.send(task);
  });
  // What came over is a copy, and a copy is not frozen.
  return result?.ok ? { ...result, settings: freeze(result.settings) } : result;
}
