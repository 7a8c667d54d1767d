/** What becomes of each block of commands in the pages: the test that runs it, or why none does. */
export interface Walk {
  page: string;
  /** How the first command of the block begins. */
  begins: string;
  /** The test, from the root; or the reason. */
  runBy?: string;
  notRun?: string;
}

const CHANGES_CHECKOUT = 'works on the checkout itself; its commands and flags are held to what there is';
const FRAGMENT = 'part of a command, to show one option; image.md has whole ones, which are run';
const CI = 'what `.ci/run` does from a fresh clone';

const runBy = (test: string, ...blocks: (readonly [page: string, begins: string])[]): Walk[] =>
  blocks.map(([page, begins]) => ({ page, begins, runBy: `test/${test}.test.ts` }));
const notRun = (reason: string, ...blocks: (readonly [page: string, begins: string])[]): Walk[] =>
  blocks.map(([page, begins]) => ({ page, begins, notRun: reason }));

export const WALKS: readonly Walk[] = [
  ...runBy(
    'docs/first-service',
    ['docs/start.md', 'pilotlight check'],
    ['docs/start.md', 'pilotlight status             # hello is asleep\n'],
    ['docs/start.md', 'pilotlight status             # hello is ready'],
  ),
  ...runBy('main/package', ['docs/start.md', 'npm pack'], ['docs/start.md', 'npm run -s package:deb']),
  ...runBy(
    'docs/run/command-list',
    ['docs/operations.md', 'pilotlight check'],
    ['docs/troubleshooting.md', 'pilotlight status'],
    ['docs/costs.md', '$ pilotlight costs'],
    ['docs/decisions.md', '$ pilotlight why'],
    ['docs/failures.md', '$ pilotlight why'],
    ['docs/scaling.md', '$ pilotlight why'],
    ['docs/decisions.md', '$ pilotlight replay'],
  ),
  ...runBy(
    'docs/run/trial',
    ['README.md', '$ curl'],
    ['docs/simulate.md', 'npm run -s pilotlight -- simulate'],
    ['docs/comparison.md', 'pilotlight simulate'],
    ['docs/tracing.md', '$ node -e'],
  ),
  ...runBy('docs/run/protocols', ['docs/tcp.md', '$ mkdir'], ['docs/http2.md', '$ ask()']),
  ...runBy('docs/run/compose', ['docs/compose.md', 'docker compose create']),
  ...runBy(
    'docs/run/declaring',
    ['docs/declare.md', 'docker create'],
    ['docs/declare.md', 'consul services register'],
    ['docs/coming-from-fabio.md', 'consul services register'],
    ['docs/coming-from-traefik.md', 'docker create'],
  ),
  ...runBy(
    'integration/consul-page',
    ['docs/consul.md', 'consul agent'],
    ['docs/consul.md', 'pilotlight run'],
    ['docs/consul.md', 'pilotlight endpoints'],
    ['docs/consul.md', 'curl -sX PUT "http://127.0.0.1:8500/v1/agent/service/maintenance'],
    ['docs/consul.md', 'kill %3'],
  ),
  ...runBy('integration/docker-image', ['docs/image.md', 'docker build'], ['docs/image.md', 'docker run -d']),

  ...notRun(CI, ['README.md', 'npm ci'], ['docs/start.md', 'npm ci'], ['CONTRIBUTING.md', 'git clone']),
  ...notRun(CI, ['CONTRIBUTING.md', 'npm run -s typecheck']),
  ...notRun(CHANGES_CHECKOUT, ['docs/recipes.md', 'npx biome']),
  ...notRun('runs tests, within a test', ['CONTRIBUTING.md', 'npx vitest'], ['docs/conformance.md', 'npx vitest']),
  ...notRun(
    'minutes of load on a quiet machine; its flags are held to what there is',
    ['docs/performance.md', 'npm run bench'],
    ['CONTRIBUTING.md', 'npm run bench'],
  ),
  ...notRun(FRAGMENT, ['docs/operations.md', 'docker run -v'], ['docs/operations.md', 'docker run --stop-timeout']),
  ...notRun('takes a swarm; test/integration/swarm.test.ts does the same through the API', [
    'docs/swarm.md',
    'docker network create',
  ]),
  ...notRun("consul-template is another's program, in no package of Debian", ['docs/operations.md', 'consul-template']),
];
