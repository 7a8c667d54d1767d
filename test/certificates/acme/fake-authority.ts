import { execFileSync } from 'node:child_process';
import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Made, makeCertificate } from '../../support/certificates.ts';

/** A request that the authority got: what was signed, or nothing. */
export interface Asked {
  method: string;
  path: string;
  payload: Record<string, unknown> | undefined;
}

/** Answers a request in the place of the authority; returns whether it did. */
export type Interference = (asked: Asked, response: ServerResponse) => boolean;

/** An authority that believes every proof, with what the real one of the tests lacks, and with faults at will. */
export class FakeAuthority {
  readonly asked: Asked[] = [];
  /** Added to its directory. */
  directory: Record<string, unknown> = {};
  meta: Record<string, unknown> = {};
  interfere: Interference = () => false;
  /** Also of what comes when it has stopped: requests may be under way when a test ends. */
  url = '';
  /** Signs all that it issues, and who connects to it trusts it. */
  readonly own: Made;
  readonly #server: Server;
  readonly #keys = new Map<string, object>();
  #count = 0;
  readonly #orders: { host: string; isProven: boolean; csr: string }[] = [];

  private constructor() {
    this.own = makeCertificate({ subject: '/CN=Fake authority', isAuthority: true });
    const served = makeCertificate({ names: ['IP:127.0.0.1'], by: this.own });
    this.#server = createServer({ cert: served.cert, key: served.key }, (request, response) => {
      void this.#answer(request, response);
    });
  }

  static async start(): Promise<FakeAuthority> {
    const authority = new FakeAuthority();
    await new Promise<void>((resolve) => authority.#server.listen(0, '127.0.0.1', resolve));
    authority.url = `https://127.0.0.1:${(authority.#server.address() as AddressInfo).port}`;
    return authority;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The requests to a path, in order. */
  to(path: string): Asked[] {
    return this.asked.filter((asked) => asked.path.startsWith(path));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    const path = request.url ?? '';
    const asked = { method: request.method ?? '', path, payload: body === '' ? undefined : this.#read(body, path) };
    this.asked.push(asked);
    response.setHeader('Replay-Nonce', `nonce-${++this.#count}`);
    if (!this.interfere(asked, response)) this.#serve(asked, response);
  }

  /** What a client signed; throws where the signature is not that of its key. */
  #read(body: string, path: string): Record<string, unknown> | undefined {
    const jws = JSON.parse(body);
    const header = JSON.parse(Buffer.from(jws.protected, 'base64url').toString());
    if (header.url !== this.url + path) throw new Error(`signed for ${header.url}`);
    const jwk = header.jwk ?? this.#keys.get(header.kid);
    this.#keys.set(`${this.url}/account/1`, jwk);
    const signature = Buffer.from(jws.signature, 'base64url');
    const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const };
    if (!verify('sha256', Buffer.from(`${jws.protected}.${jws.payload}`), key, signature)) throw new Error('forged');
    return jws.payload === '' ? undefined : JSON.parse(Buffer.from(jws.payload, 'base64url').toString());
  }

  #serve({ path, payload }: Asked, response: ServerResponse): void {
    const { url } = this;
    const [, what, number] = path.split('/');
    const id = number === undefined ? this.#orders.length : Number(number);
    const order = this.#orders[id] ?? { host: '', isProven: false, csr: '' };
    const places = { authorizations: [`${url}/authorization/${id}`], finalize: `${url}/finalize/${id}` };
    if (what === 'directory') {
      const all = { newNonce: `${url}/nonce`, newAccount: `${url}/account`, newOrder: `${url}/order` };
      json(response, 200, { ...all, ...this.directory, meta: this.meta });
    } else if (what === 'nonce') response.end();
    else if (what === 'account') json(response, 201, { status: 'valid' }, { Location: `${url}/account/1` });
    else if (path === '/order') {
      const { identifiers } = payload as { identifiers: { value: string }[] };
      this.#orders.push({ ...order, host: identifiers[0]?.value ?? '' });
      json(response, 201, { ...places, status: 'pending' }, { Location: `${url}/order/${id}` });
    } else if (what === 'authorization') {
      const token = `token-of-${order.host.replaceAll('.', '-')}`;
      const challenges = [{ type: 'http-01', token, url: `${url}/challenge/${id}` }];
      json(response, 200, { status: order.isProven ? 'valid' : 'pending', challenges });
    } else if (what === 'challenge') {
      order.isProven = true;
      json(response, 200, { status: 'processing' });
    } else if (what === 'order') {
      const status = order.csr === '' ? 'ready' : 'valid';
      json(response, 200, { ...places, status, certificate: `${url}/certificate/${id}` });
    } else if (what === 'finalize') {
      order.csr = String(payload?.['csr']);
      json(response, 200, { ...places, status: 'processing' });
    } else if (what === 'certificate') {
      response.setHeader('Content-Type', 'application/pem-certificate-chain');
      response.end(this.sign(Buffer.from(order.csr, 'base64url')) + this.own.cert);
    } else json(response, 404, { type: 'urn:ietf:params:acme:error:malformed', detail: 'nothing is here' });
  }

  /** Signs a request (DER) for 30 days. */
  sign(csr: Buffer): string {
    const folder = mkdtempSync(join(tmpdir(), 'pilotlight-authority-'));
    const at = (name: string) => join(folder, name);
    try {
      writeFileSync(at('csr'), csr);
      writeFileSync(at('ca.pem'), this.own.cert);
      writeFileSync(at('ca.key'), this.own.key);
      writeFileSync(at('extensions'), 'authorityKeyIdentifier=keyid:always\n');
      const args = ['x509', '-req', '-inform', 'DER', '-in', at('csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key')];
      const more = ['-CAcreateserial', '-days', '30', '-copy_extensions', 'copy', '-extfile', at('extensions')];
      execFileSync('openssl', [...args, ...more, '-out', at('cert')], { stdio: 'pipe' });
      return new X509Certificate(readFileSync(at('cert'))).toString();
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

export function json(response: ServerResponse, status: number, content: object, headers: object = {}): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'Content-Type': type, ...headers });
  response.end(JSON.stringify(content));
}
