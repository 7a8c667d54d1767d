/** The weight that an instance has. */
type WeightOf<Instance> = (instance: Instance) => number;

/**
 * Weights where instances with certain tags get a share of all requests each: the others have what is left, in the
 * proportion of their own weights. Where there are no others, or nothing is left, shares are weights among themselves.
 * @param shares by tag, above 0 and up to 1; of several tags of one instance the first one that is named here counts
 */
export function withShares<Instance extends { tags: readonly string[] }>(
  instances: readonly Instance[],
  weightOf: WeightOf<Instance>,
  shares: Readonly<Record<string, number>> | undefined,
): WeightOf<Instance> {
  if (shares === undefined) return weightOf;
  const shareOf = (instance: Instance): number | undefined => {
    const tag = Object.keys(shares).find((each) => instance.tags.includes(each));
    return tag === undefined || weightOf(instance) === 0 ? undefined : shares[tag];
  };
  const given = instances.reduce((sum, instance) => sum + (shareOf(instance) ?? 0), 0);
  const others = instances.reduce(
    (sum, instance) => sum + (shareOf(instance) === undefined ? weightOf(instance) : 0),
    0,
  );
  if (given === 0) return weightOf;
  const each = others === 0 ? 0 : Math.max(0, 1 - given) / others;
  return (instance) => shareOf(instance) ?? weightOf(instance) * each;
}
