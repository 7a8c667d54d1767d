import { readFileSync } from 'node:fs';
import { toPilotlightError } from '../../model/errors.ts';
import type { SetByHand } from '../../model/hand-over.ts';
import type { Logger } from '../../model/observe.ts';
import { writeWholeSync } from '../../util/file-errors.ts';

/** How many replicas an operator wants of a service. */
export interface CountByHand {
  replicas: number;
  /** Until when the scaler leaves that alone; wall clock, ms. */
  until: number;
}

interface AllByHand {
  endpoints: readonly SetByHand[];
  counts: Readonly<Record<string, CountByHand>>;
}

/** What operators set, kept over restarts and changes of the leader; freezes are kept by themselves. */
export interface KeptByHand {
  readonly endpoints: readonly SetByHand[];
  putEndpoints(all: readonly SetByHand[]): void;
  countOf(service: string): CountByHand | undefined;
  /** @param count undefined: it is over */
  putCount(service: string, count: CountByHand | undefined): void;
  /** Writes nothing more: another process may. */
  release(): void;
  resume(): void;
}

/** Keeps it while the process lives. */
export function memoryKeptByHand(earlier?: Partial<AllByHand>, save?: (all: AllByHand) => void): KeptByHand {
  let endpoints = earlier?.endpoints ?? [];
  const counts = new Map(Object.entries(earlier?.counts ?? {}));
  let isReleased = false;
  const changed = () => {
    if (!isReleased) save?.({ endpoints, counts: Object.fromEntries(counts) });
  };
  return {
    get endpoints() {
      return endpoints;
    },
    putEndpoints(all) {
      endpoints = all;
      changed();
    },
    countOf: (service) => counts.get(service),
    putCount(service, count) {
      if (count !== undefined) counts.set(service, count);
      else if (!counts.delete(service)) return;
      changed();
    },
    release: () => {
      isReleased = true;
    },
    resume: () => {
      isReleased = false;
    },
  };
}

/**
 * Keeps it in a file, written as a whole. What cannot be read or written is logged, and kept in memory only.
 * @param known what a process before this one handed over; the file goes before it
 * @param onKept called when it was written
 */
export function openKeptByHand(
  file: string,
  logger: Logger,
  known: readonly SetByHand[] = [],
  onKept: () => void = () => undefined,
): KeptByHand {
  return memoryKeptByHand(readByHand(file, logger) ?? { endpoints: known }, (all) => {
    try {
      writeWholeSync(file, JSON.stringify(all));
      onKept();
    } catch (error) {
      logger.error({}, `what is set by hand cannot be kept over a restart: ${toPilotlightError(error).message}`);
    }
  });
}

function readByHand(file: string, logger: Logger): AllByHand | undefined {
  try {
    const { endpoints, counts } = JSON.parse(readFileSync(file, 'utf8')) as Partial<AllByHand>;
    const areCounts = Object.entries(counts ?? {}).filter(([, { replicas, until }]) => replicas > 0 && until > 0);
    return {
      endpoints: (endpoints ?? []).filter(({ service, address }) => Boolean(service && address)),
      counts: Object.fromEntries(areCounts),
    };
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.error({ err, file }, 'what was set by hand earlier is unreadable');
    return undefined;
  }
}
