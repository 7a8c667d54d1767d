import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { PilotlightError } from '../../model/errors.ts';
import type { ConsulSettings } from './settings.ts';

/** Where Consul is and how to talk to it. */
export interface ConsulConnection {
  /** For log lines: no path, no user, no password. */
  origin: string;
  secure: boolean;
  /** IPv6 without brackets. */
  host: string;
  port: number;
  /** Of the next request; hold the token, so never log them. */
  readonly headers: Record<string, string>;
  /** The text without the token, or one before it. */
  redact(text: string): string;
  /** An agent bound to Consul's address. @throws DISCOVERY_FAILED when the CA file cannot be read */
  openAgent(keepAlive: boolean): Promise<HttpAgent>;
}

/** What may change while it is in use. */
export type TokenOf = () => string | undefined;

/**
 * Only the origin of `settings.address` counts.
 * @param token asked for each request
 * @throws DISCOVERY_FAILED when it is not an http or https URL
 */
export function consulConnection(settings: ConsulSettings, token: TokenOf = () => settings.token): ConsulConnection {
  const url = URL.parse(settings.address);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new PilotlightError('DISCOVERY_FAILED', 'the address of Consul is not an http:// or https:// URL');
  }
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port) || (secure ? 443 : 80);
  let present: string | undefined;
  let before: string | undefined;
  let headers: Record<string, string> = {};
  return {
    origin: url.origin,
    secure,
    host,
    port,
    get headers() {
      const next = token() || undefined;
      if (next !== present) {
        before = present;
        present = next;
        headers = next === undefined ? {} : { 'X-Consul-Token': next };
      }
      return headers;
    },
    redact: (text) =>
      [present, before].reduce<string>((left, each) => (each ? left.replaceAll(each, '[token]') : left), text),
    async openAgent(keepAlive) {
      // The agent's own host and port win over the request's: the only way to pass an IPv6 address through a client
      // that takes URLs.
      const options = { host, port, keepAlive };
      if (!secure) return new HttpAgent(options);
      return new HttpsAgent(
        settings.caCert === undefined ? options : { ...options, ca: await readCa(settings.caCert) },
      );
    },
  };
}

const CAUSES: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed',
  ECONNABORTED: 'connection closed',
  EPIPE: 'connection closed',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ETIMEDOUT: 'timed out',
};

/** Why there was no answer, in few words. */
export function explainFailure(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { code } = thrown as NodeJS.ErrnoException;
  return CAUSES[code ?? ''] ?? (oneLine(thrown.message) || code || thrown.name);
}

/** Text from outside made fit for a log line: one line, no control characters, at most 200 characters. */
export function oneLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, 200);
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PilotlightError('DISCOVERY_FAILED', `cannot read Consul's CA certificate ${path} (${code})`, cause);
  }
}
