import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DecisionEntry } from '../../model/decision.ts';
import type { Journal, JournalRecord } from '../../model/journal.ts';
import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import { fileFault } from '../../util/file-errors.ts';
import { fileStore, type LineStore, RotatingLines } from '../../util/rotating-lines.ts';
import { EarlierDecisions } from './earlier-decisions.ts';

/** A file is put aside when it would grow over this, bytes: with the one that was put aside, twice that on disk. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The journal in the files of a directory that this process alone writes to. */
interface DiskJournal extends Journal {
  /** Writes what waits and lets go of the files: another process may write them. Safe to call again. */
  release(): Promise<void>;
  /** Writes again after `release`: the other process came to nothing. */
  resume(): void;
}

/**
 * Reads what is there and writes behind it: `decisions.jsonl`, and `decisions.1.jsonl` for what is older, 4 MiB each. A
 * journal that cannot be read or written keeps nobody from deciding: the log says so.
 * @param store where records go, when not to the file
 */
export async function openJournal(
  directory: string,
  clock: Clock,
  logger: Logger,
  store?: LineStore,
): Promise<DiskJournal> {
  const path = join(directory, 'decisions.jsonl');
  const aside = join(directory, 'decisions.1.jsonl');
  const earlier = new EarlierDecisions();
  let torn = false;
  for (const file of [aside, path]) {
    torn = await readLines(file, earlier).catch((error: unknown) => {
      logger.warn({ file, err: error }, `the journal of decisions cannot be read (${fileFault(error)})`);
      return true;
    });
  }
  const { unreadable } = earlier;
  if (unreadable > 0) logger.info({ directory, unreadable }, `lines of the journal that are skipped: ${unreadable}`);
  const lines = new RotatingLines(
    {
      store: store ?? fileStore(path, aside),
      maxBytes: MAX_BYTES,
      clock,
      onTrouble: (fault, lost) =>
        logger.warn(
          { file: path, lost },
          `the journal of decisions cannot be written: ${fault}; records lost: ${lost}`,
        ),
    },
    torn,
  );
  return {
    append: (record: JournalRecord) => lines.append(JSON.stringify(record)),
    takeEarlier: (service: string): DecisionEntry[] => earlier.take(service),
    release: () => lines.release(),
    resume: () => lines.resume(),
  };
}

/** @returns whether the last line has no end, as after a crash */
async function readLines(file: string, into: EarlierDecisions): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  for (const line of text.split('\n')) into.add(line);
  return text !== '' && !text.endsWith('\n');
}
