/** Where what `npm pack` publishes lies in a Debian system: from its root → from the root of the system. */
export const PLACES: readonly (readonly [from: string, to: string])[] = [
  ['dist', 'usr/lib/pilotlight/dist'],
  ['config', 'usr/lib/pilotlight/config'],
  ['package.json', 'usr/lib/pilotlight/package.json'],
  ['packaging/debian/config.yaml', 'etc/pilotlight/config.yaml'],
  ['packaging/systemd/pilotlight.service', 'usr/lib/systemd/system/pilotlight.service'],
  ['packaging/systemd/pilotlight.socket', 'usr/lib/systemd/system/pilotlight.socket'],
  ['packaging/man/pilotlight.1', 'usr/share/man/man1/pilotlight.1.gz'],
  ['packaging/completions/pilotlight.bash', 'usr/share/bash-completion/completions/pilotlight'],
  ['packaging/completions/_pilotlight', 'usr/share/zsh/vendor-completions/_pilotlight'],
  ['packaging/completions/pilotlight.fish', 'usr/share/fish/vendor_completions.d/pilotlight.fish'],
  ['LICENSE', 'usr/share/doc/pilotlight/copyright'],
  ['CHANGELOG.md', 'usr/share/doc/pilotlight/changelog.gz'],
  ['README.md', 'usr/share/doc/pilotlight/README.md'],
  ['docs', 'usr/share/doc/pilotlight/docs'],
];

interface PackageFacts {
  version: string;
  /** The oldest Node that runs it. */
  node: string;
  kibibytes: number;
}

/** The control file of the package: its template with what is known only when it is made. */
export function controlFile(template: string, { version, node, kibibytes }: PackageFacts): string {
  const values: Record<string, string> = { version, node, size: String(kibibytes) };
  return template.replace(/@(\w+)@/g, (whole, name: string) => values[name] ?? whole);
}
