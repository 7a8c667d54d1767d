import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PilotlightError } from '../../model/errors.ts';
import type { ConsulSettings } from './settings.ts';

/** One of Consul's agents. */
export interface ConsulPlace {
  /** For log lines: no path, no user, no password. */
  origin: string;
  secure: boolean;
  /** IPv6 without brackets. */
  host: string;
  port: number;
}

/** Where Consul is and how to talk to it. */
export interface ConsulConnection {
  /** All its agents, for log lines. */
  readonly origins: string;
  /** Of each. */
  readonly addresses: readonly string[];
  /** How many agents there are. */
  readonly count: number;
  /** The agent that is asked now. */
  readonly place: ConsulPlace;
  /** Has the next agent asked from now on, unless that is so already; says whether there is another one. */
  leave(place: ConsulPlace): boolean;
  /** Of the next request; hold the token, so never log them. */
  readonly headers: Record<string, string>;
  /** The text without the token, or one before it. */
  redact(text: string): string;
  /** Connections to an agent. @throws DISCOVERY_FAILED when a file with certificates cannot be read */
  openAgent(place: ConsulPlace, keepAlive: boolean): Promise<HttpAgent>;
  /** One connection, which may not be there yet. @throws as `openAgent` */
  openSocket(place: ConsulPlace, onRead: OnRead): Promise<Socket>;
}

/** The memory that a connection reads into, and who is told of each read; as Node's option `onread`. */
export type OnRead = OnReadOpts;

/** What may change while it is in use. */
export type TokenOf = () => string | undefined;

/**
 * Only the origins of `settings.address` count.
 * @param token asked for each request
 * @throws DISCOVERY_FAILED when one is not an http or https URL
 */
export function consulConnection(settings: ConsulSettings, token: TokenOf = () => settings.token): ConsulConnection {
  const places = [settings.address].flat().map(placeOf);
  let present = 0;
  let tokenNow: string | undefined;
  let tokenBefore: string | undefined;
  let headers: Record<string, string> = {};
  return {
    origins: places.map(({ origin }) => origin).join(', '),
    addresses: places.map(({ origin }) => origin),
    count: places.length,
    get place() {
      return places[present] as ConsulPlace;
    },
    leave(place) {
      if (places[present] === place) present = (present + 1) % places.length;
      return places.length > 1;
    },
    get headers() {
      const next = token() || undefined;
      if (next !== tokenNow) {
        tokenBefore = tokenNow;
        tokenNow = next;
        headers = next === undefined ? {} : { 'X-Consul-Token': next };
      }
      return headers;
    },
    redact: (text) =>
      [tokenNow, tokenBefore].reduce<string>((left, each) => (each ? left.replaceAll(each, '[token]') : left), text),
    async openAgent({ host, port, secure }, keepAlive) {
      // The agent's own host and port win over the request's: the only way to pass an IPv6 address through a client
      // that takes URLs.
      const options = { host, port, keepAlive };
      return secure ? new HttpsAgent({ ...options, ...(await readTls(settings)) }) : new HttpAgent(options);
    },
    async openSocket({ host, port, secure }, onread) {
      const options = { host, port, onread, noDelay: true };
      if (!secure) return heard(connect(options));
      // It has no name by itself.
      const name = isIP(host) === 0 ? { servername: host } : {};
      return heard(connectTls({ ...options, ...name, ...(await readTls(settings)) }));
    },
  };
}

/** Where there is no route at all, a socket fails before who waits for it gets to listen: unheard, that ends the process. */
function heard(socket: Socket): Socket {
  return socket.on('error', () => {});
}

function placeOf(address: string): ConsulPlace {
  const url = URL.parse(address);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new PilotlightError('DISCOVERY_FAILED', 'the address of Consul is not an http:// or https:// URL');
  }
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { origin: url.origin, secure, host, port: Number(url.port) || (secure ? 443 : 80) };
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

/** What handshakes need. The files are read anew for every agent: certificates of clients are short-lived. */
async function readTls({ caCert, cert, key, serverName }: ConsulSettings) {
  const [ca, ownCert, ownKey] = await Promise.all([
    caCert === undefined ? undefined : readPem(caCert, 'CA certificate'),
    cert === undefined ? undefined : readPem(cert, 'client certificate'),
    cert === undefined ? undefined : readPem(key ?? cert, 'key of the client certificate'),
  ]);
  return {
    ...(ca !== undefined && { ca }),
    ...(ownCert !== undefined && { cert: ownCert }),
    ...(ownKey !== undefined && { key: ownKey }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

async function readPem(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PilotlightError('DISCOVERY_FAILED', `cannot read Consul's ${what} ${path} (${code})`, cause);
  }
}
