import { defineConfig } from 'vitest/config';
import { COMPILE_CACHE } from './test/support/compile-cache.ts';

/** What starts programs, measures its own process, replaces modules of Node's or takes long: a process for each file. */
const APART = [
  'test/{browser,demo,integration,load-tests,main,scenarios,soak,support,workers}/**/*.test.ts',
  'test/conformance/{fuzz,segmentation}*.test.ts',
  'test/edge/client/{pipelined-flood,slow-client,http2/floods}.test.ts',
  'test/edge/{route/rate-limiter,hold/wake-rules}.test.ts',
  'test/simulate/{scaling-bars*,search}.test.ts',
  'test/certificates/acme/pebble.test.ts',
  'test/docs/{first-service,run/*}.test.ts',
  'test/config/read/read-settled.test.ts',
  'test/observe/access-log-full-disk.test.ts',
];

const test = {
  env: COMPILE_CACHE,
  // Node runs the sources as they are. What Vite makes of them takes a quarter more of the processor to run.
  experimental: { viteModuleRunner: false },
  testTimeout: 180_000,
  teardownTimeout: 120_000,
  hookTimeout: 180_000,
};

export default defineConfig({
  test: {
    maxWorkers: 3,
    projects: [
      { test: { ...test, name: 'apart', include: APART, globalSetup: ['test/support/global-setup.ts'] } },
      // To load the sources anew for each file takes longer than what these test. The name has them run last.
      { test: { ...test, name: 'together', include: ['test/**/*.test.ts'], exclude: APART, isolate: false } },
    ],
  },
});
