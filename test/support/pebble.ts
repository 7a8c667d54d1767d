import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { makeCertificate } from './certificates.ts';
import { findProgram } from './command.ts';
import { aptInstall } from './debian.ts';
import { freePort } from './free-port.ts';
import { KeptDaemon } from './kept-daemon.ts';
import { makeFolder } from './remains.ts';

/** How an authority behaves. */
export interface PebbleOptions {
  /** Where it asks hosts for proofs: every name is 127.0.0.1 to it. */
  httpPort: number;
  tlsPort: number;
  /** How long its certificates are valid, s; absent: five years. */
  validityS?: number;
  /** Share of good nonces that it refuses, percent. */
  nonceReject?: number;
  /** Accounts have to be bound to one of these: keys by their identifier. */
  externalAccounts?: Record<string, string>;
  /** Hosts that it issues nothing for. */
  refused?: string[];
}

/** A key of an external account, as an authority would give it. */
export const EXTERNAL_KEY = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';

/** Longest start, ms. */
const START_MS = 150_000;

/** Pebble: an authority that speaks ACME, with its DNS. It forgets everything when it stops. */
export class Pebble {
  /** Address of its directory. */
  readonly directory: string;
  /** File of the authority to trust for the connection to it. */
  readonly ca: string;
  readonly #management: string;
  readonly #folder: string;
  readonly #dnsPort: number;
  readonly #environment: string[];
  #daemons: KeptDaemon[] = [];

  private constructor(folder: string, ports: { directory: number; management: number; dns: number }, reject: number) {
    this.#folder = folder;
    this.#dnsPort = ports.dns;
    this.directory = `https://127.0.0.1:${ports.directory}/dir`;
    this.#management = `https://127.0.0.1:${ports.management}`;
    this.ca = join(folder, 'pebble.pem');
    this.#environment = ['PEBBLE_VA_NOSLEEP=1', 'PEBBLE_AUTHZREUSE=0', `PEBBLE_WFE_NONCEREJECT=${reject}`];
  }

  /** Starts one, of Debian's package, which is installed where it is missing. */
  static async start(options: PebbleOptions): Promise<Pebble> {
    if (findProgram('pebble') === undefined) await aptInstall(['pebble']);
    const folder = await makeFolder('pebble');
    const ports = { directory: await freePort(), management: await freePort(), dns: await freePort() };
    const pebble = new Pebble(folder, ports, options.nonceReject ?? 0);
    const { cert, key } = makeCertificate({ names: ['localhost', 'IP:127.0.0.1'] });
    await writeFile(pebble.ca, cert);
    await writeFile(join(folder, 'pebble.key'), key);
    const { httpPort, tlsPort, validityS, externalAccounts, refused = [] } = options;
    const config = {
      listenAddress: `127.0.0.1:${ports.directory}`,
      managementListenAddress: `127.0.0.1:${ports.management}`,
      certificate: pebble.ca,
      privateKey: join(folder, 'pebble.key'),
      httpPort,
      tlsPort,
      ocspResponderURL: '',
      externalAccountBindingRequired: externalAccounts !== undefined,
      externalAccountMACKeys: externalAccounts ?? {},
      domainBlocklist: refused,
      ...(validityS === undefined ? {} : { certificateValidityPeriod: validityS }),
    };
    await writeFile(join(folder, 'pebble.json'), JSON.stringify({ pebble: config }));
    await pebble.begin();
    return pebble;
  }

  /** Starts it again, at the same address and with nothing known. */
  async begin(): Promise<void> {
    const dns = `127.0.0.1:${this.#dnsPort}`;
    const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', ''];
    const names = await this.#daemon('pebble-challtestsrv', ['-dns01', dns, '-management', '127.0.0.1:0', ...off], []);
    const config = ['-strict', '-config', join(this.#folder, 'pebble.json'), '-dnsserver', dns];
    const server = await this.#daemon('pebble', config, this.#environment);
    this.#daemons = [names, server];
    const answers = () =>
      ask(this.directory).then(
        () => true,
        () => false,
      );
    await server.ready('pebble', answers, START_MS);
  }

  async #daemon(program: string, args: string[], environment: string[]): Promise<KeptDaemon> {
    const folder = await makeFolder(program);
    const command = [...environment, findProgram(program) ?? program, ...args];
    return new KeptDaemon({ program: '/usr/bin/env', args: command, folder, stopSignal: 'SIGKILL', graceMs: 5000 });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.stop()));
    this.#daemons = [];
  }

  /** The certificate of the authority that signs what it issues: PEM. */
  root(): Promise<string> {
    return ask(`${this.#management}/roots/0`);
  }
}

/** Its own certificate is one of the tests. */
function ask(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { rejectUnauthorized: false, timeout: 5000, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => {
        text += piece;
      });
      response.on('end', () => resolve(text)).on('error', reject);
    });
    sent
      .on('timeout', () => sent.destroy(new Error('no answer')))
      .on('error', reject)
      .end();
  });
}
