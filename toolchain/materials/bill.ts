/** A bill of materials, as far as we read it (CycloneDX 1.5). */
export interface Bill {
  serialNumber?: string | undefined;
  metadata: { timestamp?: string | undefined; component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

interface Component {
  'bom-ref': string;
  type: string;
  name: string;
  version: string;
  licenses?: ({ license: { id?: string; name?: string } } | { expression: string })[];
}

/** A lock file of npm, as far as we read it. */
export interface Lock {
  /** By the path at which a package is installed. */
  packages: Record<
    string,
    { version?: string; dev?: boolean; optional?: boolean; devOptional?: boolean; link?: boolean }
  >;
}

/**
 * The bill of what runs. `npm sbom --omit dev` leaves out what a tool may use too, `yaml` for one, so the lock file says
 * what belongs to it. npm calls the product by the folder in which it is asked.
 * @param product what the bill is of
 */
export function ownMaterials(bill: Bill, { packages }: Lock, product: { name: string; version: string }): Bill {
  const { component } = bill.metadata;
  const inUse = new Set([component['bom-ref']]);
  for (const [path, { version, dev, optional, devOptional, link }] of Object.entries(packages)) {
    const name = path.includes('node_modules/') ? path.split('node_modules/').at(-1) : undefined;
    if (name !== undefined && !dev && !optional && !devOptional && !link) inUse.add(`${name}@${version}`);
  }
  const told = new Set([component['bom-ref'], ...bill.components.map((each) => each['bom-ref'])]);
  const missing = [...inUse].filter((ref) => !told.has(ref));
  if (missing.length > 0) throw new Error(`npm sbom does not tell of ${missing.join(', ')}`);
  return {
    ...bill,
    // Each making has others, and the same sources are to give the same bytes.
    serialNumber: undefined,
    metadata: { ...bill.metadata, timestamp: undefined, component: { ...component, ...product, type: 'application' } },
    components: bill.components.filter((each) => inUse.has(each['bom-ref'])),
    dependencies: bill.dependencies
      .filter(({ ref }) => inUse.has(ref))
      .map((each) => ({ ...each, dependsOn: (each.dependsOn ?? []).filter((ref) => inUse.has(ref)) })),
  };
}

/**
 * A line for each package: name, version, licence.
 * @throws where a package names no licence: somebody has to look
 */
export function licenceList({ components }: Bill): string {
  const lines = components.map((component) => {
    const licence = licenceOf(component);
    if (licence === '') throw new Error(`${component['bom-ref']} names no licence`);
    return `${component['bom-ref'].replace(/@([^@]*)$/, ' $1')} ${licence}`;
  });
  return `${[...new Set(lines)].sort().join('\n')}\n`;
}

function licenceOf({ licenses = [] }: Component): string {
  const names = licenses.map((each) =>
    'expression' in each ? each.expression : (each.license.id ?? each.license.name),
  );
  return names.filter((name) => name !== undefined).join(' OR ');
}
