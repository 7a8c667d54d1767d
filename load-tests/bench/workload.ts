import { cpus } from 'node:os';
import type { Extra } from './proxies/pilotlight.ts';
import type { Speech, Subject } from './proxies/subject.ts';
import type { Sample } from './sample.ts';
import type { Upstreams } from './upstreams.ts';
import { runWrk, type WrkRequest, writeScript } from './wrk.ts';

/** What workloads are prepared with. */
export interface Bench {
  /** For scripts and logs. */
  folder: string;
  upstreams: Upstreams;
  /** PEM file with a certificate for whatever name, and its key. */
  certificate: string;
}

/** One round against one proxy. */
export type Load = (subject: Subject, seconds: number) => Promise<Sample>;

export interface Workload {
  title: string;
  upstream: keyof Upstreams;
  /** How the proxies are asked; undefined: in HTTP/1.1. */
  speech?: Speech;
  /** Those that it is measured with where none are named; undefined: {@link USUAL}. */
  proxies?: readonly string[];
  /** It is measured only where it is named: the others are what the README tells of. */
  isAside?: boolean;
  /** Pilotlight in several configurations, compared with the first; undefined: the proxies side by side. */
  variants?: (bench: Bench) => Record<string, Extra>;
  /** Its proxies may use the first half of the cores, load and upstreams the other one; undefined: one core each. */
  spread?: boolean;
  /** Makes the load, with all subjects running. */
  prepare: (bench: Bench, subjects: readonly Subject[]) => Promise<Load>;
}

/** Connections of a load, where nothing else is said. */
export const CONNECTIONS = 64;
/** Cores of a proxy with several processes: half of them where load and upstream have as many, else one. */
export const HALF = cpus().length < 4 ? 1 : cpus().length >> 1;
export const USUAL: readonly string[] = ['pilotlight', 'haproxy', 'nginx', 'caddy', 'http-proxy'];

interface WrkWorkload extends Pick<Workload, 'speech' | 'proxies' | 'isAside'> {
  request?: WrkRequest;
  connections?: number;
  path?: string;
}

/** As many requests of one kind as wrk gets answered. */
export function wrkWorkload(title: string, options: WrkWorkload): Workload {
  const { request = {}, connections = CONNECTIONS, path = '/', ...rest } = options;
  const scheme = rest.speech === 'tls' ? 'https' : 'http';
  const prepare: Workload['prepare'] = async ({ folder }) => {
    const script = await writeScript(folder, 'load', request);
    return (subject, seconds) => runWrk(urlOf(subject, path, scheme), script, { connections, seconds });
  };
  return { title, upstream: 'http', ...rest, prepare };
}

export function urlOf({ port }: Subject, path = '/', scheme = 'http'): string {
  return `${scheme}://127.0.0.1:${port}${path}`;
}
