import type { Case } from './case.ts';

/** What the search found once. */
interface Find {
  /** What was broken, as a service and a load. */
  name: string;
  /** Whose invariants it has to hold. */
  world: string;
  of: Case;
}

const NOTHING_HELPS = 'nothing helps';

export const finds: readonly Find[] = [
  {
    name: 'two at their limit were slow for an hour: a third made them half as slow while it worked off what had piled up, and went for that',
    world: 'replicas help',
    of: {
      service: 'scale: { min: 2, max: 4, idle: never, latency: { above: 300ms }, guards: { failedFor: 10m } }',
      app: 'time:exponential:50ms,slots:2,cpu,start:3s,warm-up:3x/10s,shed:35',
      load: 'constant:39',
      running: 2,
      seconds: 2100,
      seed: 2,
    },
  },
  {
    name: 'a lock that one request held for two seconds answered more after that than before, which passed for proof: ten of ten replicas',
    world: NOTHING_HELPS,
    of: {
      service: 'scale: { min: 2, max: 10, idle: never, latency: { above: 600ms } }',
      app: 'time:1ms,slots:50,lock:pareto:22ms:1.5:2220ms,start:13s',
      load: 'sine:14..20/90s for 3m then ramp:7..18/2m for 2m then constant:9',
      running: 2,
      seconds: 3900,
      seed: 7,
    },
  },
  {
    name: 'three times as much as one can do, from the first second: an overload that showed a second late, and answers of one that was on its way out, froze it at one of four',
    world: 'replicas help',
    of: {
      service: 'scale: { min: 1, max: 4, idle: never, latency: { above: 300ms }, guards: { failedFor: 10m } }',
      app: 'time:exponential:50ms,slots:1,cpu,start:8s',
      load: 'sine:51..62/120s for 4m then constant:43',
      running: 1,
      seconds: 2340,
      seed: 1000,
    },
  },
  {
    name: 'a service that was never calm was judged while what waited still grew, and frozen with three of five',
    world: 'replicas help',
    of: {
      service: 'scale: { min: 2, max: 5, idle: never, latency: { above: 600ms }, guards: { failedFor: 10m } }',
      app: 'time:pareto:37ms:1.5:3700ms,slots:2,cpu,start:3s,warm-up:2x/10s',
      load: 'ramp:40..7/1m for 1m then ramp:45..44/3m for 3m then constant:11',
      running: 3,
      seconds: 2340,
      seed: 8,
    },
  },
  {
    name: 'a lock whose clients give up answered nothing, and some answers more by chance sized an increase to ten of ten',
    world: NOTHING_HELPS,
    of: {
      service: 'scale: { min: 2, max: 10, idle: never, latency: { above: 580ms } }',
      app: 'time:1ms,slots:50,lock:pareto:21ms:1.5:2146ms,start:12s',
      load: 'constant:22,patience:19s',
      running: 2,
      seconds: 1800,
      seed: 992,
    },
  },
  {
    name: 'a lock with room to spare that is slow now and then had ten of ten replicas: latency that is high falls by itself',
    world: NOTHING_HELPS,
    of: {
      service: 'scale: { min: 1, max: 10, idle: never, latency: { above: 150ms } }',
      app: 'time:1ms,slots:50,lock:pareto:6ms:1.5:555ms,start:14s',
      load: 'constant:23,patience:9s',
      running: 1,
      seconds: 1800,
      seed: 70,
    },
  },
  {
    name: 'a lock that had been asked for more than it can do went on to ten of ten replicas with less to do',
    world: NOTHING_HELPS,
    of: {
      service: 'scale: { min: 1, max: 10, idle: never, latency: { above: 190ms } }',
      app: 'time:1ms,slots:50,lock:exponential:19ms,start:13s',
      load: 'step:57,14@40s for 2m then ramp:54..53/4m for 4m then constant:32,patience:9s',
      running: 1,
      seconds: 1800,
      seed: 991,
    },
  },
  {
    name: 'answers that are always slow, one more than the other, had fifteen increases in an hour: a tenth is chance',
    world: NOTHING_HELPS,
    of: {
      service: 'scale: { min: 2, max: 10, idle: never, latency: { above: 200ms } }',
      app: 'time:exponential:400ms,slots:500,start:13s',
      load: 'constant:13,patience:16s',
      running: 2,
      seconds: 3600,
      seed: 5,
    },
  },
  {
    name: 'answers of which a few take very long had ten of ten replicas, some of them kept as more requests came',
    world: NOTHING_HELPS,
    of: {
      service: 'scale: { min: 1, max: 10, idle: never, latency: { above: 200ms } }',
      app: 'time:pareto:148ms:1.5:14800ms,slots:500,start:3s',
      load: 'step:9,25@20s for 1m then step:22,27@80s for 4m then sine:11..13/30s for 1m then constant:11',
      running: 1,
      seconds: 3960,
      seed: 453,
    },
  },
  {
    name: 'a database that a few requests keep busy had three replicas too many, one for each time it was slow',
    world: NOTHING_HELPS,
    of: {
      service: 'scale: { min: 2, max: 10, idle: never, latency: { above: 570ms } }',
      app: 'time:2ms,slots:50,database:2:pareto:21ms:1.5:2109ms,start:4s',
      load: 'ramp:4..34/3m for 3m then constant:16 for 2m then sine:13..14/30s for 1m then constant:16',
      running: 2,
      seconds: 2700,
      seed: 921,
    },
  },
  {
    name: 'a third of the answers are slow errors, which is under a fifth in some three seconds: ten of ten replicas',
    world: NOTHING_HELPS,
    of: {
      service: 'scale: { min: 2, max: 10, idle: never, latency: { above: 200ms } }',
      app: 'time:10ms,slots:100,errors:33%:log-normal:654ms:0.8,start:5s',
      load: 'spike:10..18@10s/2s for 1m then constant:18',
      running: 2,
      seconds: 3660,
      seed: 992,
    },
  },
];
