import { formatProblem } from '../config/check/problem.ts';
import { loadConfig } from '../config/load/load.ts';
import { findConfig } from '../config/read/find.ts';
import { ADMIN_ADDRESS } from '../config/schema/default-addresses.ts';
import { PilotlightError } from '../model/errors.ts';
import type { AdminSettings, HostPort } from '../model/settings.ts';
import { hostPort } from '../util/host-port.ts';
import type { Terminal } from './terminal.ts';

/** Where a running proxy answers operators. */
export interface AdminTarget {
  /** Origin, without a trailing slash. */
  url: string;
  token: string | undefined;
  /** Who says the token, for people; undefined where there is none. */
  tokenFrom?: string | undefined;
}

/** What the command line says of it. */
export interface AdminOptions {
  admin?: string;
  token?: string;
  /** Configuration to read the address from. */
  config?: string;
}

/** The admin address of the demo, and of a configuration that names none. */
export const DEFAULT_ADMIN_URL = `http://${ADMIN_ADDRESS}`;

/**
 * The running proxy that is meant: `--admin`, else PILOTLIGHT_ADMIN, else the address in the configuration, else the
 * default address. A configuration's token is used with its own address only.
 * @throws USAGE, CONFIG_INVALID
 */
export async function findAdmin(given: AdminOptions, terminal: Terminal): Promise<AdminTarget> {
  const { env } = terminal;
  const token = given.token ?? (env['PILOTLIGHT_ADMIN_TOKEN'] || undefined);
  const tokenFrom = given.token === undefined ? 'PILOTLIGHT_ADMIN_TOKEN' : '--token';
  if (given.admin !== undefined) return { url: readUrl(given.admin, '--admin'), token, tokenFrom };
  const named = env['PILOTLIGHT_ADMIN'];
  if (named && given.config === undefined) return { url: readUrl(named, 'PILOTLIGHT_ADMIN'), token, tokenFrom };
  const configured = await configuredAdmin(given.config, terminal);
  if (configured === undefined) return { url: DEFAULT_ADMIN_URL, token, tokenFrom };
  const { file, settings } = configured;
  const url = `http://${hostPort(reachable(settings.address))}`;
  return token === undefined ? { url, token: settings.token, tokenFrom: file } : { url, token, tokenFrom };
}

function readUrl(text: string, from: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '') {
    throw new PilotlightError('USAGE', `${from} is not an address such as ${DEFAULT_ADMIN_URL}: "${text}"`);
  }
  return url.origin;
}

async function configuredAdmin(
  explicit: string | undefined,
  { env, cwd }: Terminal,
): Promise<{ file: string; settings: AdminSettings } | undefined> {
  const found = await findConfig({ explicit, env, cwd });
  if ('searched' in found) return undefined;
  const result = await loadConfig(found.file, env);
  if (result.ok) return { file: found.file, settings: result.settings.admin };
  const [first] = result.problems.map(formatProblem);
  throw new PilotlightError('CONFIG_INVALID', `${first} (or name the running proxy with --admin URL)`);
}

/** An address to connect to, where all addresses are listened on. */
function reachable({ host, port }: HostPort): HostPort {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return host === '::' ? { host: '::1', port } : { host, port };
}
