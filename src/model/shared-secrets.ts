/** What proves that a host is ours, while an authority asks: the same at every member. */
export interface SharedProof {
  host: string;
  challenge: 'http-01' | 'tls-alpn-01';
  token: string;
  /** RFC 8555 §8.1. */
  keyAuthorization: string;
}

/** Who wants to know what becomes of shared secrets. What is left out is of no interest. */
export interface SecretsListener {
  /** Another member changed these, or they were found where they are kept. */
  onValues?(names: readonly string[]): void;
  /** These are all that are to be answered now; resolves when they are. */
  onProofs?(proofs: readonly SharedProof[]): Promise<void>;
  /** This member began to see to them, or does no more. */
  onLead?(): void;
}

/** Secrets that all members of a cluster have in common, by name: whoever leads sees to them, and the others have copies. */
export interface SharedSecrets {
  /** Who sees to them, as far as this member knows; undefined: nobody did yet. */
  readonly leader: string | undefined;
  /** Whether this member sees to them: it leads, and has read what is kept. */
  readonly leads: boolean;
  /** Whether it may act at this moment: a right to lead is over when it is not renewed in time. */
  readonly mayAct: boolean;
  get(name: string): string | undefined;
  /** Of all values that there are. */
  readonly names: readonly string[];
  /**
   * Keeps a value for all members, or takes it away: at once for this one; resolves when it is kept where it outlives all
   * of them. What cannot be kept at once is tried again for as long as this member leads.
   * @throws CLUSTER_RIGHT_LOST where this member may not; DISCOVERY_UNREACHABLE, DISCOVERY_FAILED
   */
  set(name: string, text: string | undefined): Promise<void>;
  /** Has the other members that are here answer these proofs and no others; resolves when they do, or do not in time. */
  show(proofs: readonly SharedProof[]): Promise<void>;
  /** @returns what ends it */
  follow(listener: SecretsListener): () => void;
}
