import { neededForConcurrency } from './demand.ts';
import { capacityOf, type Proposal, type ScaleInputs } from './scale-inputs.ts';

/**
 * What is asked for of a service of TCP: its sessions are all that it scales on, as they have neither a latency nor
 * answers. A count needs no experiment. More when sessions wait for a slot; one fewer when those of the last minutes
 * would have had room on one fewer.
 */
export function sessionProposals(inputs: ScaleInputs): Proposal[] {
  const { load, ready, starting, concurrency, utilisation, min, peakLoad = load } = inputs;
  if (concurrency === 0) return [];
  const from = capacityOf(inputs);
  const each = `with ${concurrency} at once each`;
  const needed = neededForConcurrency(load, concurrency, utilisation);
  if (load > ready * concurrency && needed > from) {
    const reason = `${Math.round(load)} sessions on average need ${needed} ${each}`;
    return [{ kind: 'concurrency', from, to: needed, reason }];
  }
  const enough = Math.max(min, neededForConcurrency(peakLoad, concurrency, utilisation));
  if (starting > 0 || ready <= enough || inputs.downCoveredMs < inputs.downWindowMs) return [];
  const overMs = Math.round(inputs.downWindowMs / 1000);
  const reason = `at most ${Math.ceil(peakLoad)} sessions in ${overMs} s need ${enough} ${each}`;
  return [{ kind: 'down', from: ready, to: ready - 1, reason }];
}
