import { findProgram, isExecutable } from './command.ts';
import { aptInstall } from './debian.ts';

/** What it is started with: without a screen, and keeping to itself. */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The path of a Chromium that runs: CHROMIUM_BIN, else one on the PATH, else Debian's package, which is installed. */
export async function findOrInstallChromium(): Promise<string> {
  const named = process.env['CHROMIUM_BIN'];
  if (named !== undefined && named !== '') {
    if (!isExecutable(named)) throw new Error(`CHROMIUM_BIN names ${named}, which is not a program`);
    return named;
  }
  const found = NAMES.map(findProgram).find((path) => path !== undefined);
  if (found !== undefined) return found;
  await aptInstall(['chromium']);
  const installed = findProgram('chromium');
  if (installed === undefined) throw new Error('the Debian package chromium brought no program of that name');
  return installed;
}
