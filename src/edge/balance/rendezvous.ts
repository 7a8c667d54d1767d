import { stir } from '../../util/hash32.ts';

/** A member of a set that keys are spread over. */
interface Hashed {
  /** Hash of its identity, by `hash32`. */
  readonly hash: number;
  /** Relative share, 0 or more. */
  share: number;
}

/**
 * Scores how well a key suits a member (rendezvous hashing): the member with the highest score gets the key. A member
 * that comes or goes moves only its own keys.
 */
export function affinity(member: Hashed, key: number): number {
  const uniform = (stir(member.hash ^ key) + 0.5) / 2 ** 32;
  return -member.share / Math.log(uniform);
}
