import { PilotlightError } from '../../model/errors.ts';
import type { Runtime } from '../../model/runtime.ts';

/** The right of one leader, asked at every act. */
export interface Fence {
  /** Of the lock, under which it leads. */
  readonly index: number;
  /** Whether it may act now. */
  readonly holds: boolean;
}

/** What changes something; all else only asks. */
const ACTS: ReadonlySet<PropertyKey> = new Set<keyof Runtime>(['prepare', 'start', 'pause', 'resume', 'stop', 'clean']);

/**
 * A runtime that does nothing for a leader that has lost its right. What a call has begun by then goes on: only an engine
 * that compares before it sets can refuse that.
 */
export function fencedRuntime(runtime: Runtime, fence: Fence): Runtime {
  return new Proxy(runtime, {
    get(target, key) {
      const value = Reflect.get(target, key) as unknown;
      if (typeof value !== 'function') return value;
      if (!ACTS.has(key)) return value.bind(target);
      return async (...args: unknown[]) => {
        assertRight(fence);
        return value.apply(target, args);
      };
    },
  });
}

/** @throws CLUSTER_RIGHT_LOST */
export function assertRight({ index, holds }: Fence): void {
  if (!holds) throw new PilotlightError('CLUSTER_RIGHT_LOST', `this proxy leads no more (it led under index ${index})`);
}
