import { readFileSync } from 'node:fs';
import type { Logger } from '../../model/observe.ts';
import { writeWholeSync } from '../../util/file-errors.ts';

/** Until when a service is left as it is. */
export interface Freeze {
  /** Wall clock, ms. */
  until: number;
  reason: string | null;
}

/** The freezes of all services, kept over restarts. */
export interface Freezes {
  of(service: string): Freeze | undefined;
  /** @param freeze undefined: it is over */
  put(service: string, freeze: Freeze | undefined): void;
}

/** Keeps them while the process lives. */
export function memoryFreezes(earlier: Iterable<[string, Freeze]> = [], save?: (all: object) => void): Freezes {
  const all = new Map(earlier);
  return {
    of: (service) => all.get(service),
    put(service, freeze) {
      if (freeze !== undefined) all.set(service, freeze);
      else if (!all.delete(service)) return;
      save?.(Object.fromEntries(all));
    },
  };
}

/** Keeps them in a file, written as a whole. What cannot be read or written is logged, and kept in memory only. @param onKept called when they were written */
export function openFreezes(file: string, logger: Logger, onKept: () => void = () => undefined): Freezes {
  const save = (all: object): void => {
    try {
      writeWholeSync(file, JSON.stringify(all));
      onKept();
    } catch (err) {
      logger.error({ err, file }, 'freezes cannot be kept over a restart');
    }
  };
  return memoryFreezes(readFreezes(file, logger), save);
}

function readFreezes(file: string, logger: Logger): [string, Freeze][] {
  try {
    const all = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Freeze>);
    return all.filter(([, freeze]) => typeof freeze?.until === 'number');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT') logger.error({ err, file }, 'earlier freezes are unreadable');
    return [];
  }
}
