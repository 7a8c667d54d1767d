import { stat } from 'node:fs/promises';
import type { TlsSettings } from '../model/tls-settings.ts';
import { findPairs } from './find-pairs.ts';
import { clientAuthsOf } from './read-tls.ts';

/** Tells whether any file changed that `tls` of listeners names: a text that differs then. */
export async function signatureOf(settings: readonly TlsSettings[]): Promise<string> {
  const files = new Set<string>();
  for (const tls of settings) {
    for (const [, { ca, crl }] of clientAuthsOf(tls)) files.add(ca).add(crl ?? ca);
    for (const each of tls.certificates) {
      const pairs = await findPairs(each);
      if ('fault' in pairs) continue;
      for (const { cert, key } of pairs) files.add(cert).add(key ?? cert);
    }
  }
  return signatureOfFiles(files);
}

/**
 * Tells whether any of the files changed: a text that differs then. By looking and not by notices, which do not come for
 * links that are turned to another folder, nor over a network.
 */
export async function signatureOfFiles(files: Iterable<string>): Promise<string> {
  const seen: string[] = [];
  for (const file of new Set(files)) seen.push(`${file} ${await stateOf(file)}`);
  return seen.join('\n');
}

function stateOf(file: string): Promise<string> {
  return stat(file).then(
    ({ mtimeMs, ctimeMs, size, ino }) => `${mtimeMs} ${ctimeMs} ${size} ${ino}`,
    (error: NodeJS.ErrnoException) => error.code ?? 'unknown',
  );
}
