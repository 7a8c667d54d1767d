import { startHaproxy } from './proxies/haproxy.ts';
import { startNginx } from './proxies/nginx.ts';
import { startBareTls, startCaddy, startHttpProxy } from './proxies/others.ts';
import { startPilotlight } from './proxies/pilotlight.ts';
import { type Ground, type Speech, type Subject, subject } from './proxies/subject.ts';
import type { Tool } from './tools.ts';

/** Something that a workload can be measured with. */
export interface Contender {
  /** The tool that it needs, or needs for some of what it speaks. */
  needs: (speech: Speech) => readonly Tool[];
  speaks: readonly Speech[];
  /** Nothing has to be compiled while it runs: a short warm-up will do. */
  isNative: boolean;
  start: (ground: Ground) => Promise<Subject>;
}

/** Pilotlight, and what compares itself with it. */
export const PROXIES: Record<string, Contender> = {
  pilotlight: {
    needs: () => [],
    speaks: ['http', 'tls', 'tcp'],
    isNative: false,
    start: (ground) => startPilotlight('pilotlight', ground),
  },
  haproxy: { needs: () => ['haproxy'], speaks: ['http', 'tls', 'tcp'], isNative: true, start: startHaproxy },
  nginx: {
    needs: (speech) => (speech === 'tcp' ? ['nginx', 'nginx-stream'] : ['nginx']),
    speaks: ['http', 'tls', 'tcp'],
    isNative: true,
    start: startNginx,
  },
  caddy: { needs: () => ['caddy'], speaks: ['http', 'tls'], isNative: true, start: startCaddy },
  'http-proxy': { needs: () => [], speaks: ['http'], isNative: false, start: startHttpProxy },
  'bare-tls': {
    needs: () => [],
    speaks: ['tls'],
    isNative: false,
    start: (ground) => startBareTls('bare-tls', ground),
  },
  'bare-tls-proxy': {
    needs: () => [],
    speaks: ['tls'],
    isNative: false,
    start: (ground) => startBareTls('bare-tls-proxy', ground, ground.upstream),
  },
  direct: {
    needs: () => [],
    speaks: ['http', 'tcp'],
    isNative: true,
    start: async ({ upstream }) => subject('direct', upstream, undefined),
  },
};
