import type { Clock } from '../../util/clock.ts';
import type { AskConsul, ConsulQuery } from './client.ts';
import type { ConsulContact } from './contact.ts';
import type { ConsulKnowledge } from './knowledge.ts';

/** A way to keep what is known of the followed Consul services up to date. */
export interface ConsulFollower {
  /** Follows exactly these Consul services; those that it follows already go on undisturbed. */
  follow(services: ReadonlySet<string>): void;
  /** Time since the last contact about a service, ms: 0 while in touch, undefined before the first answer. */
  staleness(service: string): number | undefined;
  /** Ends everything at once. */
  stop(): void;
}

/** What a follower works with. */
export interface FollowerOptions {
  ask: AskConsul;
  clock: Clock;
  random: () => number;
  contact: ConsulContact;
  /** Knowledge of a followed service; undefined for another. */
  knowledge: (service: string) => ConsulKnowledge | undefined;
  /** Called when something new is known of a service. */
  onNews: (service: string) => void;
}

/** All entries of a service, whatever their checks say: judging them here tells "none is healthy" from "none is listed". */
export function servicePath(service: string): ConsulQuery['path'] {
  return `/v1/health/service/${encodeURIComponent(service)}`;
}
