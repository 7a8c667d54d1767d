/** `cluster`: what makes a proxy one of several that act as one. */
export interface ClusterSettings {
  /** The same at all members. */
  name: string;
  /** Where other members reach this one. */
  advertise: { host: string; port: number };
  /** Where it listens for them; absent: at `advertise`. */
  address?: { host: string; port: number } | undefined;
  /** What members know each other by. */
  secret: string;
  /** A leader that has not renewed its right for half of it acts on nothing, ms. */
  ttlMs: number;
  /** A member that is silent for so long is gone, ms. */
  leaseMs: number;
}
