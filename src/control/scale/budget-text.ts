import { counted } from '../../util/format.ts';
import type { MemoryFacts } from '../start/memory-budget.ts';
import type { ScaleInputs } from './scale-inputs.ts';

const HELD_BY = 'heldBy.';
const LEAVING_OF = 'leavingOf.';

/** How many more the budget of all services allows; where there is no room for all, who has what. */
export function budgetText(inputs: ScaleInputs): string {
  const { budget, budgetHeld, fairShare, heldByOthers, budgetLeft } = inputs;
  const left = `${Math.max(0, budgetLeft)} more within the budget of all services`;
  if (budget === undefined) return left;
  const held = byName(inputs, HELD_BY).map(([name, count]) => `${name} ${count}`);
  if (heldByOthers !== undefined) held.push(`others ${heldByOthers}`);
  const leaving = byName(inputs, LEAVING_OF).map(([name, count]) =>
    count === 1 ? `, one of ${name}'s is being drained` : `, ${count} of ${name}'s are being drained`,
  );
  return `${left}: ${budgetHeld} of ${counted(budget, 'replica')} ${budgetHeld === 1 ? 'runs' : 'run'}: ${held.join(', ')}; fair share ${fairShare}${leaving.join('')}`;
}

/** How many more there is memory for, and what takes it; nothing where there is enough. */
export function memoryText(facts: MemoryFacts): string[] {
  const { memoryLeft, memoryBudgetMiB, memoryTakenMiB, memoryNeedMiB } = facts;
  const { memoryAvailableMiB, memoryReserveMiB } = facts;
  if (memoryLeft === undefined) return [];
  const taken = `${memoryTakenMiB} of ${memoryBudgetMiB} MiB are taken, and one takes ${memoryNeedMiB} MiB`;
  const host =
    memoryAvailableMiB === undefined
      ? ''
      : `; the host has ${memoryAvailableMiB} MiB available${memoryReserveMiB === 0 ? '' : `, of which ${memoryReserveMiB} MiB are left alone`}`;
  return [`${memoryLeft} more within the memory budget: ${taken}${host}`];
}

function byName(inputs: ScaleInputs, prefix: string): [name: string, count: number][] {
  return Object.entries(inputs).flatMap(([key, count]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), count]] : [],
  );
}
