import type { ControlContext } from '../context.ts';
import type { Catalog } from '../endpoints/catalog.ts';
import type { Registry } from '../endpoints/registry.ts';
import type { Sources } from '../endpoints/sources.ts';
import type { CostHistory } from '../journal/cost-history.ts';
import type { LinkHub } from '../link/hub.ts';
import type { Prewarm } from '../replica/prewarm.ts';
import type { Runtimes } from '../replica/runtimes.ts';
import type { IdleLearnt } from '../scale/idle-learnt.ts';
import type { WakeShares } from '../scale/idle-shares.ts';
import type { LearntStore } from '../scale/learnt-store.ts';
import type { SiblingGaps } from '../scale/sibling-gaps.ts';
import type { StartGate } from '../start/gate.ts';
import type { MemoryBudget } from '../start/memory-budget.ts';
import type { Freezes } from './freezes.ts';
import type { Groups } from './groups.ts';
import type { KeptByHand } from './kept-by-hand.ts';

/** What the services share. */
export interface ServiceHost {
  context: ControlContext;
  gate: StartGate;
  memory: MemoryBudget;
  freezes: Freezes;
  byHand: KeptByHand;
  groups: Groups;
  learnt: LearntStore;
  idleLearnt: LearntStore<IdleLearnt>;
  /** What the idle policy knows of all services together. */
  siblings: SiblingGaps;
  siblingsLearnt: LearntStore<SiblingGaps>;
  costs: LearntStore<CostHistory>;
  wakeShares: WakeShares;
  hub: LinkHub;
  registry: Registry;
  catalog: Catalog;
  prewarm: Prewarm;
  runtimes: Runtimes;
  discovery: Sources;
  /** The proxy is about to end, or has not taken over yet: starts only for requests that wait, and no retires. */
  isDraining: () => boolean;
  /** Whether replicas may be started: not once a successor does. */
  mayStart: () => boolean;
  /** Whether replicas may be retired or stopped: not while another process uses them too. */
  mayEnd: () => boolean;
  /** An edge did not acknowledge a cordon in time. @returns whether it is ended for that, and will detach */
  onUnresponsive: (edge: string) => boolean;
  /** A removed service has nothing left that runs. */
  onGone: (service: string) => void;
}
