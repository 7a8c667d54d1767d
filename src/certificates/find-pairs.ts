import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateFiles } from '../model/tls-settings.ts';
import type { CertificatePair } from './read-certificate.ts';

const CERTIFICATE = /\.(?:pem|crt|cer)$/;
/** Files that hold keys alone, though they may end as certificates do. */
const KEY = /(?:\.key|(?:^|[-_.])(?:privkey|key)\.pem)$/;
/** How others lay a certificate and its key into a folder of its own. */
const LAYOUTS = [
  ['fullchain.pem', 'privkey.pem'],
  ['tls.crt', 'tls.key'],
] as const;

/** The pairs of files that an entry of the configuration stands for, or why there are none. */
export async function findPairs({
  cert,
  key,
  folder,
}: CertificateFiles): Promise<CertificatePair[] | { fault: string }> {
  if (folder === undefined) return cert === undefined ? [] : [{ cert, key }];
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return { fault: `${folder}: ${code === 'ENOENT' ? 'no such folder' : `cannot be read (${code})`}` };
  }
  const there = new Set(names);
  const pairs: CertificatePair[] = [];
  for (const name of names) {
    // Kubernetes keeps what it links to in such.
    if (name.startsWith('.')) continue;
    if (CERTIFICATE.test(name) && !KEY.test(name))
      pairs.push({ cert: join(folder, name), key: keyBeside(name, there, folder) });
    else if (!KEY.test(name)) pairs.push(...(await pairIn(join(folder, name))));
  }
  // A folder may be such a pair itself.
  const own = pairs.length > 0 && LAYOUTS.find(([cert, key]) => there.has(cert) && there.has(key));
  return own ? [{ cert: join(folder, own[0]), key: join(folder, own[1]) }] : pairs;
}

/** `site.key` or `site.pem.key` for `site.pem`; undefined: the key is in the file itself. */
function keyBeside(name: string, there: ReadonlySet<string>, folder: string): string | undefined {
  const key = [name.replace(CERTIFICATE, '.key'), `${name}.key`].find((each) => there.has(each));
  return key === undefined ? undefined : join(folder, key);
}

async function pairIn(folder: string): Promise<CertificatePair[]> {
  for (const [cert, key] of LAYOUTS) {
    const pair = { cert: join(folder, cert), key: join(folder, key) };
    if (await isFile(pair.cert)) return [pair];
  }
  return [];
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
