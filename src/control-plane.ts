/** A control plane with what it keeps in the state directory: it can be begun and ended any number of times. */
import { join } from 'node:path';
import type { Control, ControlOptions } from './control/control.ts';
import { createControl } from './control/create-control.ts';
import { openJournal } from './control/journal/disk-journal.ts';
import { openFreezes } from './control/service/freezes.ts';
import { memoryKeptByHand, openKeptByHand } from './control/service/kept-by-hand.ts';
import { openKept } from './kept.ts';

type KeptOptions = 'journal' | 'freezes' | 'byHand' | 'learnt' | 'idleLearnt' | 'siblingsLearnt' | 'costs';

export interface PlaneOptions extends Omit<ControlOptions, KeptOptions> {
  /** The state directory. */
  folder: string;
  /** Names of all services; undefined while a source does not answer: then nothing that was learnt is removed. */
  names: readonly string[] | undefined;
  /** Called when what an operator set was written. Absent: only freezes are, and what else is set ends with this process. */
  onSetByHand?: () => void;
}

/** The control plane of this process, whoever leads. */
export interface ControlPlane {
  control: Control;
  /** Writes what is kept and lets go of its files: another process may write them. Safe to call again. */
  release(): Promise<unknown>;
  /** Writes again after `release`: the other process came to nothing. */
  resume(): void;
}

/** Reads what was kept and builds a control plane that begins with `control.start`. */
export async function openControlPlane({
  folder,
  names,
  onSetByHand,
  ...options
}: PlaneOptions): Promise<ControlPlane> {
  const { clock, logger } = options;
  const journal = await openJournal(join(folder, 'journal'), clock, logger);
  const kept = openKept(folder, names, clock, logger);
  const { byHand: handedOver = [] } = options.known ?? {};
  const byHand =
    onSetByHand === undefined
      ? memoryKeptByHand({ endpoints: handedOver })
      : openKeptByHand(join(folder, 'by-hand.json'), logger, handedOver, onSetByHand);
  const release = () => {
    byHand.release();
    return Promise.all([journal.release(), kept.release()]);
  };
  try {
    const freezes = openFreezes(join(folder, 'freezes.json'), logger, onSetByHand);
    return {
      control: createControl({ ...options, journal, ...kept.stores, freezes, byHand }),
      release,
      resume: () => {
        journal.resume();
        kept.resume();
        byHand.resume();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
