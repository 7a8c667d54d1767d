/** A member of a set that keys are spread over. */
export interface Hashed {
  /** Of its identity, by {@link hash32}. */
  readonly hash: number;
  /** Relative share, 0 or more. */
  share: number;
}

/** A 32-bit hash of a text (FNV-1a, its bits stirred at the end). Not for secrets. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return stir(hash);
}

/** The last step of MurmurHash3: every bit of the input changes half of the bits of the result. */
function stir(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * How well a key suits a member (rendezvous hashing): the member with the highest score gets the key, by share. Whoever
 * comes or goes moves only the keys that it gets or had.
 */
export function affinity(member: Hashed, key: number): number {
  const uniform = (stir(member.hash ^ key) + 0.5) / 2 ** 32;
  return -member.share / Math.log(uniform);
}
