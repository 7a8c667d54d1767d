import type { TlsMaterial } from '../../../model/certificates.ts';
import { HostMap } from '../../route/host-map.ts';
import { Acceptor } from './acceptor.ts';

/** Under which rules of its listener a connection is: the names that have them, or nothing for those of the listener. */
export type RulesName = string;

/** Who asks for a proof offers this protocol and no other (RFC 8737 §3). */
const PROOF_PROTOCOL = 'acme-tls/1';
const PROOF_ONLY = Buffer.from(`\0\x0b\x0a${PROOF_PROTOCOL}`, 'latin1');

/** Whether a client wants a proof, by the list of protocols in its ClientHello. */
export function wantsProof(protocols: Buffer | undefined): boolean {
  return protocols?.equals(PROOF_ONLY) === true;
}

/** Makes the handshakes of one listener: by its own rules, and by those of the names that have others. */
export class Acceptors {
  readonly #standard: Acceptor;
  /** Undefined: the same rules hold for all names. */
  readonly #named: HostMap<Acceptor> | undefined;
  /** For those who ask for a proof that a host is ours (RFC 8737); undefined: there is none to show. */
  readonly proofs: Acceptor | undefined;

  /**
   * @param listener what tells the listener from others: its sessions are resumed nowhere else
   * @param protocols that are offered (ALPN), the best first
   * @throws what OpenSSL says of the material
   */
  constructor(material: TlsMaterial, listener: string, protocols: readonly string[]) {
    this.#standard = new Acceptor(material, listener, protocols, '');
    this.proofs = proofsOf(material, listener);
    if (material.names.length === 0) return;
    this.#named = new HostMap();
    for (const { hosts, ...rules } of material.names) {
      const name = hosts.join(' ');
      // A session is resumed only under the rules that it was begun under.
      const acceptor = new Acceptor({ ...material, ...rules }, `${listener} ${name}`, protocols, name);
      for (const host of hosts) this.#named.add(host, acceptor);
    }
  }

  /** A ClientHello tells which of them makes the handshake. */
  get areByHello(): boolean {
    return this.#named !== undefined || this.proofs !== undefined;
  }

  /** @param name that a client asks for, lower case; undefined: none */
  of(name: string | undefined): Acceptor {
    return (name === undefined ? undefined : this.#named?.of(name)) ?? this.#standard;
  }
}

/** @throws what OpenSSL says of the proofs */
function proofsOf({ proofs = [], ticketKeys }: TlsMaterial, listener: string): Acceptor | undefined {
  if (proofs.length === 0) return undefined;
  const material: TlsMaterial = {
    certificates: proofs,
    minVersion: '1.2',
    strictSni: true,
    tickets: false,
    ciphers: [],
    curves: [],
    clientAuth: undefined,
    names: [],
    ticketKeys,
  };
  return new Acceptor(material, `${listener} proofs`, [PROOF_PROTOCOL], '');
}
