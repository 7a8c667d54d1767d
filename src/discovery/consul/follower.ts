import type { Clock } from '../../util/clock.ts';
import type { AskConsul } from './client.ts';
import type { ConsulContact } from './contact.ts';
import type { ConsulKnowledge } from './knowledge.ts';
import type { ConsulScope, ConsulTarget } from './target.ts';

/** A way to keep what is known of the followed Consul services up to date. */
export interface ConsulFollower {
  /** Follows exactly these, by their keys; those that it follows already go on undisturbed. */
  follow(targets: ReadonlyMap<string, ConsulTarget>): void;
  /** Time since the last contact about one, ms: 0 while in touch, undefined before the first answer. */
  staleness(key: string): number | undefined;
  /** Ends everything at once. */
  stop(): void;
}

/** What a follower works with. */
export interface FollowerOptions {
  ask: AskConsul;
  clock: Clock;
  random: () => number;
  contact: ConsulContact;
  /** How long a question about a part of Consul waits for a change, ms. */
  longWaitMs: (scope: ConsulScope) => number;
  /** What is known of what is followed, by its key; undefined for another. */
  knowledge: (key: string) => ConsulKnowledge | undefined;
  /** Called when something new is known of one. */
  onNews: (key: string) => void;
}
