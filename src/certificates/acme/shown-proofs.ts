import type { Certificate } from '../../model/certificates.ts';
import type { SharedProof } from '../../model/shared-secrets.ts';
import type { Clock } from '../../util/clock.ts';
import { alpnProof } from './alpn-proof.ts';

/** What authorities are answered at present. */
export class ShownProofs {
  readonly #clock: Clock;
  /** By token; with what is shown by TLS-ALPN-01. */
  #shown = new Map<string, { proof: SharedProof; certificate: Certificate | undefined }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get all(): SharedProof[] {
    return Array.from(this.#shown.values(), ({ proof }) => proof);
  }

  /** What HTTP-01 asks for, by token; undefined: nothing. */
  get answers(): Record<string, string> | undefined {
    const answers = this.all.filter(({ challenge }) => challenge === 'http-01');
    if (answers.length === 0) return undefined;
    return Object.fromEntries(answers.map(({ token, keyAuthorization }) => [token, keyAuthorization]));
  }

  /** What TLS-ALPN-01 asks for; undefined: nothing. */
  get certificates(): Certificate[] | undefined {
    const certificates = [...this.#shown.values()].flatMap(({ certificate }) => certificate ?? []);
    return certificates.length === 0 ? undefined : certificates;
  }

  add(proof: SharedProof): void {
    const { challenge, host, token, keyAuthorization } = proof;
    const isAnswer = challenge === 'http-01';
    const certificate = isAnswer ? undefined : alpnProof(host, keyAuthorization, this.#clock.wall());
    this.#shown.set(token, { proof, certificate });
  }

  remove(token: string): void {
    this.#shown.delete(token);
  }

  /** Shows these and no others. @returns whether that differs from before */
  replace(proofs: readonly SharedProof[]): boolean {
    const before = this.#shown;
    this.#shown = new Map();
    for (const proof of proofs) {
      const known = before.get(proof.token);
      if (known === undefined) this.add(proof);
      else this.#shown.set(proof.token, known);
    }
    return before.size > 0 || proofs.length > 0;
  }
}
