/** One replica as far as memory goes. */
export interface MemoryHolder {
  ordinal: number;
  name: string;
  /** What it counts with, MiB. */
  memoryMiB: number;
  /** `leaving`: it drains or stops, and has its memory until it is gone. */
  state: 'used' | 'paused' | 'leaving';
  /** From when on it may go to make room, the clock's ms; undefined: not now. */
  mayGoAt: number | undefined;
  /** It is not the only one that its service has: without it nobody waits for a start. */
  isSpare: boolean;
}

/** What a service has of the memory, and what it is to it. */
export interface MemoryStake {
  /** What one replica of it takes, MiB … */
  needMiB: number;
  /** … as was seen; else as it is limited, or guessed. */
  isMeasured: boolean;
  /** What a start takes, ms. */
  startMs: number;
  /** How often an hour it is called after it was idle. */
  callsPerHour: number;
  /** When it was used last, the clock's ms. */
  usedAt: number;
  holders: readonly MemoryHolder[];
}

/** A replica that is to go. */
export interface Loss {
  service: string;
  ordinal: number;
  name: string;
  memoryMiB: number;
  startMs: number;
  callsPerHour: number;
  /** What it is worth: the cheapest go first. */
  worth: number;
}

/** A service with its stake, and with the worth of what went last when it was used last (the ageing clock). */
export interface AgedStake {
  service: string;
  stake: MemoryStake;
  age: number;
}

/**
 * The replicas that are cheapest to lose, as many as have so much memory together; all that may go, where that is less.
 * As in GreedyDual-Size-Frequency (Cherkasova 1998; for functions: FaasCache, Fuerst and Sharma 2021) one is worth
 * frequency × start cost ÷ size, and what was of worth long ago ages: each counts from the worth of what was lost last
 * when it was used last.
 * @param missingMiB above 0
 * @param except a service that it is done for
 */
export function cheapestToLose(
  stakes: Iterable<AgedStake>,
  missingMiB: number,
  now: number,
  except: string | undefined,
): Loss[] {
  const candidates: Loss[] = [];
  for (const { service, stake, age } of stakes) {
    if (service === except) continue;
    const { startMs, callsPerHour } = stake;
    for (const { ordinal, name, memoryMiB, mayGoAt, isSpare } of stake.holders) {
      if (mayGoAt === undefined || mayGoAt > now || memoryMiB <= 0) continue;
      const cost = isSpare ? 0 : (callsPerHour * startMs) / 1000;
      candidates.push({ service, ordinal, name, memoryMiB, startMs, callsPerHour, worth: age + cost / memoryMiB });
    }
  }
  candidates.sort((a, b) => a.worth - b.worth || b.memoryMiB - a.memoryMiB);
  const losses: Loss[] = [];
  let freed = 0;
  for (const loss of candidates) {
    if (freed >= missingMiB) break;
    losses.push(loss);
    freed += loss.memoryMiB;
  }
  // Small ones that a larger one, which came after them, makes needless stay.
  return losses
    .toReversed()
    .filter(({ memoryMiB }) => {
      const isNeeded = freed - memoryMiB < missingMiB;
      if (!isNeeded) freed -= memoryMiB;
      return isNeeded;
    })
    .toReversed();
}

/** `cheapest to lose (128 MiB, wakes 0.3 an hour, start 0.4 s)`. */
export function lossText({ memoryMiB, callsPerHour, startMs }: Loss): string {
  const calls = callsPerHour >= 10 ? Math.round(callsPerHour) : Number(callsPerHour.toPrecision(1));
  return `cheapest to lose (${Math.round(memoryMiB)} MiB, wakes ${calls} an hour, start ${(startMs / 1000).toFixed(1)} s)`;
}
