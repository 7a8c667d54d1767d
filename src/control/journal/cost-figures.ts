import type { CostAmounts, DiskUsage, PriceSettings, ServiceCosts } from '../../model/costs.ts';
import type { CostSums } from './cost-history.ts';

/** What the figures of one service are worked out from. */
export interface CostInputs {
  service: string;
  sums: CostSums;
  /** How long was looked at, s. */
  spanSeconds: number;
  /** Idle for so long now, s: that is not in the sums. */
  idleSeconds: number;
  /** What a start takes, and what all wait for one together, s. */
  startSeconds: number;
  waitSeconds: number;
  /** What its image takes of the disk; null where it has none, or that is not known. */
  disk: DiskUsage | null;
  prices: PriceSettings;
}

/** The idle time that is compared with, s. */
export const FIXED_SECONDS = 600;
const HOUR_SECONDS = 3600;

/** What a service took, and what it would have taken with `min: 1` and with `idle: 10m` for the same requests. */
export function costFigures(inputs: CostInputs): ServiceCosts {
  const { service, sums, spanSeconds, idleSeconds, startSeconds, prices } = inputs;
  const { replicaSeconds, coldStarts, waitedSeconds, cpuSeconds, requests, memoryMiBSeconds } = sums;
  const isMeasured = memoryMiBSeconds > 0;
  const { pausedSeconds, resumes } = sums;
  const perReplica = memoryMiBSeconds / Math.max(1e-9, replicaSeconds + pausedSeconds);
  // What is waited for a paused replica says nothing of what a start would be waited for.
  const perWake = coldStarts > 0 && resumes === 0 ? waitedSeconds / coldStarts : inputs.waitSeconds;
  const amounts = (replica: number, starts: number, waited: number, paused = 0): CostAmounts => {
    const memory = isMeasured ? (replica + paused) * perReplica : null;
    const money = moneyOf(prices, [replica, (memory ?? 0) / 1024, cpuSeconds, waited]);
    return { replicaSeconds: replica, memoryMiBSeconds: memory, coldStarts: starts, waitedSeconds: waited, money };
  };
  const { awakeSeconds, idleReplicaSeconds, fixedIdleSeconds, fixedWakes } = sums;
  const keptNow = Math.min(idleSeconds, FIXED_SECONDS);
  const fixed =
    replicaSeconds - idleReplicaSeconds + fixedIdleSeconds + keptNow + (fixedWakes - coldStarts) * startSeconds;
  return {
    service,
    ...amounts(replicaSeconds, coldStarts, waitedSeconds, pausedSeconds),
    pausedSeconds,
    resumes,
    disk: inputs.disk,
    cpuSeconds: isMeasured ? cpuSeconds : null,
    requests,
    alwaysOn: amounts(replicaSeconds + Math.max(0, spanSeconds - awakeSeconds), 0, 0),
    fixed10m: amounts(Math.max(0, fixed), fixedWakes, fixedWakes * perWake),
  };
}

/** @param seconds of a replica, of a GiB, of CPU and of a waiting user */
function moneyOf({ replicaHour, memoryHour, cpuHour, waitedHour }: PriceSettings, seconds: number[]): number | null {
  const prices = [replicaHour, memoryHour, cpuHour, waitedHour];
  if (prices.every((price) => price === undefined)) return null;
  return prices.reduce<number>((sum, price = 0, index) => sum + (price * (seconds[index] as number)) / HOUR_SECONDS, 0);
}
