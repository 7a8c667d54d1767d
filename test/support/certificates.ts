import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate, TlsMaterial } from '../../src/model/certificates.ts';

/** What a certificate is made of. */
interface CertificateWish {
  /** DNS names, or addresses as `IP:127.0.0.1`; none: without the extension. */
  names?: string[];
  subject?: string;
  key?: 'ec' | 'rsa';
  /** First and last day, `YYYYMMDDHHMMSSZ`. */
  from?: string;
  until?: string;
  /** Who signs it; absent: itself. */
  by?: Made;
  isAuthority?: boolean;
}

/** A certificate with its key, PEM. */
export interface Made {
  cert: string;
  key: string;
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const RSA = ['-newkey', 'rsa:2048'];

/** Makes a certificate with openssl. */
export function makeCertificate(wish: CertificateWish = {}): Made {
  const { names = ['app.test'], subject = `/CN=${names[0] ?? 'nobody'}`, key = 'ec', by, isAuthority = false } = wish;
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-certificate-'));
  const at = (name: string) => join(folder, name);
  try {
    const san = names.map((name) => (name.startsWith('IP:') ? name : `DNS:${name}`)).join(',');
    const extensions = [
      `basicConstraints=critical,CA:${isAuthority ? 'TRUE' : 'FALSE'}`,
      ...(isAuthority ? ['keyUsage=critical,keyCertSign,cRLSign'] : []),
      ...(san === '' ? [] : [`subjectAltName=${san}`]),
    ];
    const common = ['-nodes', ...(key === 'ec' ? EC : RSA), '-keyout', at('key'), '-subj', subject];
    writeFileSync(at('empty'), '[req]\ndistinguished_name=dn\n[dn]\n');
    openssl('req', '-new', ...common, '-out', at('request'), '-config', at('empty'));
    writeFileSync(at('extensions'), `${extensions.join('\n')}\n`);
    writeFileSync(at('index'), '');
    const signer = by ?? { cert: '', key: readFileSync(at('key'), 'utf8') };
    writeFileSync(at('signer.key'), signer.key);
    const parent = by === undefined ? [] : ['-CA', at('signer.cert'), '-CAkey', at('signer.key'), '-CAcreateserial'];
    if (by !== undefined) writeFileSync(at('signer.cert'), by.cert);
    if (wish.from === undefined && wish.until === undefined) {
      const self = by === undefined ? ['-signkey', at('key')] : parent;
      openssl(
        'x509',
        '-req',
        '-in',
        at('request'),
        '-days',
        '30',
        '-extfile',
        at('extensions'),
        ...self,
        '-out',
        at('cert'),
      );
    } else {
      signForDays(folder, wish);
    }
    return { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Other days than from now on are given by `openssl ca` alone. */
function signForDays(folder: string, { from = '20200101000000Z', until = '20400101000000Z' }: CertificateWish): void {
  const at = (name: string) => join(folder, name);
  mkdirSync(at('new'));
  writeFileSync(
    at('ca.conf'),
    `[ca]\ndefault_ca=c\n[c]\ndatabase=${at('index')}\nnew_certs_dir=${at('new')}\nrand_serial=yes\ndefault_md=sha256\n` +
      'policy=p\nunique_subject=no\n[p]\ncommonName=supplied\norganizationName=optional\n',
  );
  openssl(
    ...['ca', '-batch', '-selfsign', '-config', at('ca.conf'), '-in', at('request'), '-keyfile', at('key')],
    ...['-extfile', at('extensions'), '-startdate', from, '-enddate', until, '-notext', '-out', at('cert')],
  );
}

/** A revocation list of an authority, PEM. @param nextUpdate when it is due to be replaced, `YYYYMMDDHHMMSSZ` */
export function makeCrl(authority: Made, revoked: readonly Made[] = [], nextUpdate = '20400101000000Z'): string {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-crl-'));
  const at = (name: string) => join(folder, name);
  try {
    const lines = revoked.map(({ cert }) => {
      const { serialNumber, subject } = new X509Certificate(cert);
      return `R\t400101000000Z\t200101000000Z\t${serialNumber}\tunknown\t/${subject.replaceAll('\n', '/')}\n`;
    });
    writeFileSync(at('index'), lines.join(''));
    writeFileSync(at('cert'), authority.cert);
    writeFileSync(at('key'), authority.key);
    writeFileSync(at('conf'), `[ca]\ndefault_ca=c\n[c]\ndatabase=${at('index')}\ndefault_md=sha256\n`);
    const dates = ['-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', nextUpdate];
    const by = ['-config', at('conf'), '-cert', at('cert'), '-keyfile', at('key')];
    openssl('ca', '-gencrl', ...by, ...dates, '-out', at('crl'));
    return readFileSync(at('crl'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A key with a passphrase, PEM. */
export function encryptKey({ key }: Made): string {
  return execFileSync('openssl', ['pkey', '-aes256', '-passout', 'pass:secret'], { input: key, encoding: 'utf8' });
}

/** A certificate as the edge is given it. */
export function edgeCertificate({ cert, key }: Made): Certificate {
  const x509 = new X509Certificate(cert);
  const names = [...(x509.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(([, name = '']) => name);
  const keyType = x509.publicKey.asymmetricKeyType ?? '';
  return { id: x509.fingerprint256, chain: cert, key, keyType, names };
}

/** What an edge needs to end TLS with these certificates. */
export function tlsMaterial(certificates: readonly Made[], change: Partial<TlsMaterial> = {}): TlsMaterial {
  return {
    certificates: certificates.map(edgeCertificate),
    minVersion: '1.2',
    strictSni: false,
    tickets: true,
    ciphers: [],
    curves: [],
    names: [],
    clientAuth: undefined,
    ticketKeys: Buffer.alloc(48, 7).toString('base64'),
    ...change,
  };
}
