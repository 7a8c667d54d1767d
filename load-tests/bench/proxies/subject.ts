import type { Cores } from '../../support/process.ts';

/** What a proxy is asked in: HTTP/1.1 in clear text; TLS with HTTP/1.1 or HTTP/2 in it; bytes that it passes on as they are. */
export type Speech = 'http' | 'tls' | 'tcp';

/** A proxy that runs (or, for `direct`, the upstream itself). */
export interface Subject {
  /** As the table calls it. */
  name: string;
  /** Which of a workload's variants it is; undefined where there are none. */
  variant?: string;
  /** It is the other state of Pilotlight, which this one is compared with. */
  isBefore?: boolean;
  port: number;
  /** Its first process; undefined for `direct`. */
  pid: number | undefined;
  /** Where Pilotlight's metrics are; undefined for others. */
  adminPort: number | undefined;
}

/** What a proxy is started with. */
export interface Ground {
  /** For configurations and state; a folder of the proxy's own. */
  folder: string;
  core: Cores;
  /** Loopback port that it forwards everything to. */
  upstream: number;
  speech: Speech;
  /** PEM file with the certificate that all show, and its key. */
  certificate: string;
  /** The words that follow `node`, of Pilotlight only; undefined: those of this checkout. */
  command?: readonly string[];
}

/** The one suite and the one group that all proxies and loads of TLS have in common: what they differ in is the rest. */
export const SUITE = 'TLS_AES_128_GCM_SHA256';
export const GROUP = 'X25519';

/** Where something listens that is no Pilotlight. */
export function subject(name: string, port: number, pid: number | undefined): Subject {
  return { name, port, pid, adminPort: undefined };
}
