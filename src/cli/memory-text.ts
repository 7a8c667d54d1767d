import type { MemoryUse } from '../model/host-memory.ts';
import { bytesText } from '../util/format.ts';

/** How the budget of memory is used, a line; none where there is no budget. */
export function memoryLines(use: MemoryUse | null): string[] {
  if (use === null) return [];
  const { usedBytes, budgetBytes, hostBytes, availableBytes } = use;
  const host = availableBytes === null ? '' : `, of which ${bytesText(availableBytes)} are available`;
  return [
    `memory: replicas take ${bytesText(usedBytes)} of ${bytesText(budgetBytes)}; there are ${bytesText(hostBytes)} in all${host}`,
  ];
}
