import type { CostAmounts, DiskUsage, ServiceCosts } from '../model/costs.ts';
import { hours, memory, money } from './format.ts';

type OwnAmounts = CostAmounts & Pick<ServiceCosts, 'pausedSeconds'>;

/** The cells of one service's row, in the order of the columns. */
export function cellsOf({ service, alwaysOn, fixed10m, ...own }: ServiceCosts, currency: string): string[] {
  return [
    service,
    hours(own.replicaSeconds),
    averageMemory(own),
    String(own.coldStarts),
    hours(own.waitedSeconds),
    hours(own.pausedSeconds),
    String(own.resumes),
    ...diskCells(own.disk),
    money(own.money, currency),
    hours(alwaysOn.replicaSeconds),
    savedText(own.replicaSeconds, alwaysOn.replicaSeconds),
    hours(fixed10m.replicaSeconds),
  ];
}

/** What its image takes of the disk: in layers of its own, and in those that others have too. */
function diskCells(disk: DiskUsage | null): string[] {
  return [disk?.alone, disk?.shared].map((bytes) => memory(bytes === undefined ? null : bytes / 2 ** 20));
}

/** Of one replica. */
function averageMemory({ memoryMiBSeconds, replicaSeconds, pausedSeconds }: OwnAmounts): string {
  // What is paused has its memory, too.
  const seconds = replicaSeconds + pausedSeconds;
  return memoryMiBSeconds === null || seconds === 0 ? '–' : memory(memoryMiBSeconds / seconds);
}

/** How much less it is than otherwise. */
export function savedText(own: number, otherwise: number): string {
  return otherwise <= 0 ? '–' : `${Math.round((1 - own / otherwise) * 100)} %`;
}
