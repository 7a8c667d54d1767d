import type { HandedOver } from '../model/hand-over.ts';

/** What a process and its successor say to each other during an upgrade. */

/** Tells a process that the one that started it serves until it does itself. */
export const SUCCESSOR_VARIABLE = 'PILOTLIGHT_SUCCESSOR';

export type ToSuccessor =
  /** The replicas and the state directory are yours, and so is this; an older version hands over less. */
  | ({ type: 'take' } & Partial<HandedOver>)
  /** Requests wait for this service here. */
  | { type: 'wake'; service: string };

export type FromSuccessor =
  /** The configuration is sound: let go. */
  | { type: 'booting' }
  /** Requests are taken. */
  | { type: 'serving' };
