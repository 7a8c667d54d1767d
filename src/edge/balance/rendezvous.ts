import { stir } from '../../util/hash32.ts';

/** A member of a set that keys are spread over. */
export interface Hashed {
  /** Of its identity, by `hash32`. */
  readonly hash: number;
  /** Relative share, 0 or more. */
  share: number;
}

/**
 * How well a key suits a member (rendezvous hashing): the member with the highest score gets the key, by share. Whoever
 * comes or goes moves only the keys that it gets or had.
 */
export function affinity(member: Hashed, key: number): number {
  const uniform = (stir(member.hash ^ key) + 0.5) / 2 ** 32;
  return -member.share / Math.log(uniform);
}
