import { describe, expect, test } from 'vitest';
import { aroundFile, aroundService, marked, problemsOf } from '../parse.ts';

/** Keys of a service (or of the file), with `§` where the problem is; then what is said of it. */
type Case = [name: string, yaml: string, problem: string];

const run = 'run: { docker: { image: a, port: 80 } }';
const routed = `routes: [{ path: / }]\n${run}`;

const serviceCases: Case[] = [
  ['an unknown key', `${routed}\n§frobnicate: 1`, 'services.app.frobnicate: unknown key'],
  [
    'a misspelt key',
    `${routed}\n§timeout: { connect: 1s }`,
    'services.app.timeout: unknown key (did you mean "timeouts"?)',
  ],
  [
    'a misspelt key deep down',
    `${routed}\nscale:\n  guards:\n    §warmup: 1s`,
    'services.app.scale.guards.warmup: unknown key (did you mean "warmUp"?)',
  ],
  [
    'a key in another spelling',
    `${routed}\n§upstream-host: a`,
    'services.app.upstream-host: unknown key (did you mean "upstreamHost"?)',
  ],
  [
    'an option of a later version: standby',
    `${routed}\nscale: { §standby: paused }`,
    'services.app.scale.standby: unknown key',
  ],
  [
    'an idle time that is a word of something else',
    `${routed}\nscale: { idle: §paused }`,
    'services.app.scale.idle: expected a duration such as 0s or 5m, or auto, or never, found "paused"',
  ],
  [
    'a schedule that is no cron expression',
    `${routed}\nscale: { schedule: [{ from: §"0 25 * * *", for: 1h }] }`,
    'services.app.scale.schedule[0].from: "0 25 * * *" is no cron expression (minute hour day month weekday)',
  ],
  [
    'a schedule with seconds',
    `${routed}\nscale: { schedule: [{ from: §"0 0 8 * * *", for: 1h }] }`,
    'services.app.scale.schedule[0].from: a cron expression has 5 fields (minute hour day month weekday), not 6',
  ],
  [
    'a schedule that is never due',
    `${routed}\nscale: { schedule: [{ from: §"0 8 30 2 *", for: 1h }] }`,
    'services.app.scale.schedule[0].from: "0 8 30 2 *" is never due',
  ],
  [
    'a time zone that nobody knows',
    `${routed}\nscale: { schedule: [{ from: "0 8 * * *", for: 1h, timeZone: §Europe/Berlim }] }`,
    'services.app.scale.schedule[0].timeZone: expected a time zone such as Europe/Berlin, found "Europe/Berlim"',
  ],
  [
    'a window with more replicas than there may be',
    `${routed}\nscale: { schedule: [{ from: "0 8 * * *", for: 1h, min: §5 }] }`,
    'services.app.scale.schedule[0].min: min 5 is over max (4, the default)',
  ],
  [
    'a threshold that is neither a duration nor auto',
    `${routed}\nscale: { latency: { above: §never } }`,
    'services.app.scale.latency.above: expected a duration such as 250ms or 5s, or auto, found "never"',
  ],
  [
    'a standby that there is not',
    'routes: [{ path: / }]\nrun: { docker: { image: a, port: 80, standby: §frozen } }',
    'services.app.run.docker.standby: expected auto, paused, created or none, found "frozen"',
  ],
  [
    'a standby that processes do not have',
    'routes: [{ path: / }]\nrun: { process: { command: [a, "{port}"], standby: §created } }',
    'services.app.run.process.standby: expected auto, paused or none, found "created"',
  ],
  [
    'a standby that would remove a container that is there already',
    'routes: [{ path: / }]\nrun: { docker: { container: a, port: 80, standby: §none } }',
    'services.app.run.docker.standby: an existing container is never removed: created (which it is), paused or auto',
  ],
  [
    'a misspelt value',
    `${routed}\nbalance: §round-robbin`,
    'services.app.balance: expected least-request, round-robin, random or hash (did you mean "round-robin"?)',
  ],
  [
    'a duration without unit',
    `${routed}\ntimeouts: { connect: §2 }`,
    'services.app.timeouts.connect: expected a duration such as 250ms or 5s, found "2": its unit is missing (ms, s, m, h, d)',
  ],
  ['a duration of nothing', `${routed}\ntimeouts: { connect: §0s }`, 'services.app.timeouts.connect: at least 1ms'],
  [
    'a duration no timer can wait',
    `${routed}\ntimeouts: { tunnel: §30d }`,
    'services.app.timeouts.tunnel: at most 24d',
  ],
  [
    'a size without unit',
    `${routed}\nhold: { maxBytes: §1000 }`,
    'services.app.hold.maxBytes: expected a size such as 16KiB or 256MiB, found "1000": its unit is missing (B, KiB, MiB, GiB, KB, MB, GB)',
  ],
  [
    'a share over the whole',
    `${routed}\nretries: { budget: §200% }`,
    'services.app.retries.budget: expected a share of at least 0% and at most 100%, such as 10% or 0.1, found "200%"',
  ],
  [
    'a quantile of one',
    `${routed}\nscale: { latency: { quantile: §1 } }`,
    'services.app.scale.latency.quantile: expected a share above 0% and below 100%, such as 10% or 0.1, found "1"',
  ],
  [
    'a fraction of a replica',
    `${routed}\nscale: { max: §2.5 }`,
    'services.app.scale.max: expected a whole number from 1 to 100000, found "2.5"',
  ],
  [
    'a negative number',
    `${routed}\nscale: { min: §-1 }`,
    'services.app.scale.min: expected a whole number from 0 to 100000, found "-1"',
  ],
  [
    'a text for a truth value',
    `${routed}\nallowHalfOpen: §yes`,
    'services.app.allowHalfOpen: expected true or false, found "yes": write true',
  ],
  [
    'no CPU at all',
    'routes: [{ path: / }]\nrun: { docker: { image: a, port: 80, cpus: §0 } }',
    'services.app.run.docker.cpus: expected a number above 0, at most 1024, found "0"',
  ],
  [
    'less memory than Docker takes',
    'routes: [{ path: / }]\nrun: { docker: { image: a, port: 80, memory: §1MiB } }',
    'services.app.run.docker.memory: at least 6MiB, which is what Docker asks for',
  ],
  [
    'a mapping for a text',
    `${routed}\n§upstreamHost: { a: b }`,
    'services.app.upstreamHost: expected a host or host:port, found a mapping',
  ],
  ['a text for a mapping', `${routed}\nscale: §auto`, 'services.app.scale: expected a mapping, found text'],
  [
    'a text for a list',
    `routes: [{ path: / }]\nrun: { process: { command: §node app.js } }`,
    'services.app.run.process.command: expected a list, found text: put it in brackets, as in [a, b]',
  ],
  [
    'a mapping for a list',
    `${run}\n§routes: { path: / }`,
    'services.app.routes: expected a list, found a mapping: put "- " before each item',
  ],
  [
    'no word in a command',
    'routes: [{ path: / }]\nrun: { process: { §command: [] } }',
    'services.app.run.process.command: expected at least one word',
  ],

  ['no route', `${run}\n§routes: []`, 'services.app.routes: expected at least one route'],
  [
    'a host with a port',
    `${run}\nroutes: [{ host: §"a.example:80" }]`,
    'services.app.routes[0].host: a host without its port',
  ],
  [
    'a host with a scheme',
    `${run}\nroutes: [{ host: §"http://a.example" }]`,
    'services.app.routes[0].host: a host only: no scheme and no path',
  ],
  [
    'an empty host, as of an unset variable',
    `${run}\nroutes: [{ host: §"" }]`,
    'services.app.routes[0].host: leave host out to match any host',
  ],
  ['a star alone', `${run}\nroutes: [{ host: §"*" }]`, 'services.app.routes[0].host: leave host out to match any host'],
  [
    'a star within a label',
    `${run}\nroutes: [{ host: §"a*.example.com" }]`,
    'services.app.routes[0].host: "*" may only stand for all labels at the start: *.example.com',
  ],
  [
    'a star in the middle',
    `${run}\nroutes: [{ host: §"a.*.com" }]`,
    'services.app.routes[0].host: "*" may only stand for all labels at the start: *.example.com',
  ],
  [
    'a host that is none',
    `${run}\nroutes: [{ host: §"a..b" }]`,
    'services.app.routes[0].host: expected a host such as shop.example.com or *.example.com, found "a..b"',
  ],
  [
    'a size without unit',
    `${run}\nroutes: [{ maxBody: §10 }]`,
    'services.app.routes[0].maxBody: expected a size such as 16KiB or 256MiB, or 0, found "10": its unit is missing (B, KiB, MiB, GiB, KB, MB, GB)',
  ],
  ['a path without slash', `${run}\nroutes: [{ path: §api }]`, 'services.app.routes[0].path: a path starts with "/"'],
  [
    'a path with a query',
    `${run}\nroutes: [{ path: §"/a?b" }]`,
    'services.app.routes[0].path: a path only: no "?" and no "#"',
  ],
  [
    'a path with a parameter',
    `${run}\nroutes: [{ path: §"/a;b=c" }]`,
    'services.app.routes[0].path: a path has no ";": what follows one in a request is a parameter',
  ],
  [
    'a path with a NUL',
    `${run}\nroutes: [{ path: §"/a%00" }]`,
    'services.app.routes[0].path: a path has no NUL: no request with one is let through',
  ],
  [
    'a path with dot segments',
    `${run}\nroutes: [{ path: §/a/../b }]`,
    'services.app.routes[0].path: a path has no "." and ".." segments',
  ],
  [
    'a path with hidden dot segments',
    `${run}\nroutes: [{ path: §/a/%2E%2e }]`,
    'services.app.routes[0].path: a path has no "." and ".." segments',
  ],
  [
    'a path with an empty segment',
    `${run}\nroutes: [{ path: §/a//b }]`,
    'services.app.routes[0].path: a path has no empty segments',
  ],
  [
    'a path of two slashes',
    `${run}\nroutes: [{ path: §// }]`,
    'services.app.routes[0].path: a path has no empty segments',
  ],
  [
    'a path with a blank',
    `${run}\nroutes: [{ path: §"/a b" }]`,
    'services.app.routes[0].path: blanks and characters beyond ASCII are percent-encoded in a path',
  ],
  [
    'the same route twice in a service',
    `${run}\nroutes: [{ path: /a }, { path: §/a/ }]`,
    'services.app.routes[1].path: /a (any host) already leads to app',
  ],

  [
    'an endpoint without port',
    'routes: [{ path: / }]\nendpoints: { static: [§10.0.0.1] }',
    'services.app.endpoints.static[0]: expected host:port, such as 10.0.0.5:8080 or [fd00::5]:8080, found "10.0.0.1"',
  ],
  [
    'an endpoint on port 0',
    'routes: [{ path: / }]\nendpoints: { static: [§"a:0"] }',
    'services.app.endpoints.static[0]: a port is 1 to 65535',
  ],
  [
    'an address that is none',
    'routes: [{ path: / }]\nendpoints: { static: [§"10.0.0.300:80"] }',
    'services.app.endpoints.static[0]: expected host:port, such as 10.0.0.5:8080 or [fd00::5]:8080, found "10.0.0.300:80"',
  ],
  [
    'IPv6 without brackets',
    'routes: [{ path: / }]\nendpoints: { static: [§"fd00::5:80"] }',
    'services.app.endpoints.static[0]: an IPv6 address is written in brackets, with a port: [::1]:8080',
  ],
  ...['https://10.0.0.5:8006', 'HTTPS://pve:8006/', 'wss://10.0.0.5:8006'].map(
    (url): Case => [
      `an endpoint that speaks TLS, as ${url}`,
      `routes: [{ path: / }]\nendpoints: { static: [§"${url}"] }`,
      'services.app.endpoints.static[0]: an address is host:port; for TLS set upstream.tls of the service',
    ],
  ),
  [
    'an endpoint that speaks TLS, with more to it',
    'routes: [{ path: / }]\nendpoints: { static: [{ address: §"https://pve:8006", weight: 2 }] }',
    'services.app.endpoints.static[0].address: an address is host:port; for TLS set upstream.tls of the service',
  ],
  [
    'an endpoint as a URL',
    'routes: [{ path: / }]\nendpoints: { static: [§"http://10.0.0.5:8006"] }',
    'services.app.endpoints.static[0]: an address is host:port, without http:// and path',
  ],
  [
    'an endpoint twice',
    'routes: [{ path: / }]\nendpoints: { static: ["A:1", "b:1", §"a:1"] }',
    'services.app.endpoints.static[2]: a:1 is there already, as static[0]',
  ],
  [
    'Consul without a name',
    'routes: [{ path: / }]\nendpoints: { §consul: { tag: x } }',
    'services.app.endpoints.consul.service: is missing',
  ],
  [
    'a tag beside tags',
    'routes: [{ path: / }]\nendpoints: { consul: { service: shop, tag: §a, tags: [b] } }',
    'services.app.endpoints.consul.tag: does not go with tags, of which it is the short form',
  ],
  [
    'a datacenter twice',
    'routes: [{ path: / }]\nendpoints: { consul: { service: shop, §datacenters: [dc1, dc1] } }',
    'services.app.endpoints.consul.datacenters: dc1 is there twice',
  ],
  [
    'datacenters in one text',
    'routes: [{ path: / }]\nendpoints: { consul: { service: shop, datacenters: §"dc1,dc2" } }',
    'services.app.endpoints.consul.datacenters: a comma divides nothing: write a list, as in datacenters: [dc1, dc2]',
  ],
  [
    'a datacenter that is none',
    'routes: [{ path: / }]\nendpoints: { consul: { service: shop, datacenters: [dc1, §"D C"] } }',
    'services.app.endpoints.consul.datacenters[1]: expected the name of a datacenter: a-z, 0-9, "_" and "-", found "D C"',
  ],
  [
    'a namespace of all',
    'routes: [{ path: / }]\nendpoints: { consul: { service: shop, namespace: §"*" } }',
    'services.app.endpoints.consul.namespace: expected the name of a namespace: letters, digits and "-", found "*"',
  ],
  [
    'a policy for warnings that is none',
    'routes: [{ path: / }]\nendpoints: { consul: { service: shop, warning: §ignore } }',
    'services.app.endpoints.consul.warning: expected use, avoid or refuse, found "ignore"',
  ],
  [
    'a port by its number',
    'routes: [{ path: / }]\nendpoints: { consul: { service: shop, port: §8080 } }',
    'services.app.endpoints.consul.port: expected the name of a port, such as http, found "8080"',
  ],

  ['run without a runtime', 'routes: [{ path: / }]\n§run: {}', 'services.app.run: needs docker, process or swarm'],
  [
    'two runtimes',
    'routes: [{ path: / }]\nrun:\n  docker: { image: a, port: 80 }\n  §process: { command: [a, "{port}"] }',
    'services.app.run.process: docker or process, not both',
  ],
  [
    'Docker without image and container',
    'routes: [{ path: / }]\nrun: { §docker: { port: 80 } }',
    'services.app.run.docker: needs image, or container for an existing one',
  ],
  [
    'Docker without a port',
    'routes: [{ path: / }]\nrun: { §docker: { image: a } }',
    'services.app.run.docker.port: is missing',
  ],
  [
    'image and container',
    'routes: [{ path: / }]\nrun: { docker: { image: §a, container: b, port: 80 } }',
    'services.app.run.docker.image: image or container, not both',
  ],
  [
    'an option that a container has already',
    'routes: [{ path: / }]\nrun: { docker: { container: b, port: 80, §env: { A: b } } }',
    'services.app.run.docker.env: an existing container keeps what it was made with',
  ],
  [
    'several replicas of one container',
    'routes: [{ path: / }]\nrun: { docker: { container: b, port: 80 } }\nscale: { max: §2 }',
    'services.app.scale.max: an existing container is one replica: max is 1, not 2',
  ],
  [
    'a label of our own',
    'routes: [{ path: / }]\nrun: { docker: { image: a, port: 80, labels: { §pilotlight.x: y } } }',
    'services.app.run.docker.labels["pilotlight.x"]: labels that start with "pilotlight." are Pilotlight\'s own',
  ],
  [
    'a volume without a target',
    'routes: [{ path: / }]\nrun: { docker: { image: a, port: 80, volumes: [§data] } }',
    'services.app.run.docker.volumes[0]: expected source:target or source:target:ro, with an absolute target, found "data"',
  ],
  [
    'a process without a command',
    'routes: [{ path: / }]\nrun: { §process: { env: { P: "{port}" } } }',
    'services.app.run.process.command: is missing',
  ],
  [
    'a process that never learns its port',
    'routes: [{ path: / }]\nrun:\n  §process: { command: [node, app.js], env: { A: b } }',
    'services.app.run.process: nothing tells the process its port: put {port} into command or env, such as env: { PORT: "{port}" }',
  ],
  [
    'a replica that is dialled in a network, without one',
    'routes: [{ path: / }]\nrun: { swarm: { image: a, port: 1, reach: §overlay } }',
    'services.app.run.swarm.reach: overlay needs networks: the first of them is the one that is dialled',
  ],
  [
    'a constraint that compares nothing',
    'routes: [{ path: / }]\nrun: { swarm: { image: a, port: 1, constraints: [§ssd] } }',
    'services.app.run.swarm.constraints[0]: expected a constraint such as node.labels.disk==ssd, found "ssd"',
  ],
  [
    'a signal that does not exist',
    'routes: [{ path: / }]\nrun: { process: { command: ["{port}"], stop: { signal: §SIGTREM } } }',
    'services.app.run.process.stop.signal: no such signal (did you mean "SIGTERM"?)',
  ],

  [
    'a health check that is none',
    `${routed}\nready: §docker-healthy`,
    'services.app.ready: expected docker-health or a mapping, found text',
  ],
  [
    'docker-health without Docker',
    'routes: [{ path: / }]\nrun: { process: { command: ["{port}"] } }\nready: §docker-health',
    'services.app.ready: docker-health needs run.docker',
  ],
  [
    'docker-health with a path',
    `${routed}\nready: { check: docker-health, path: §/x }`,
    'services.app.ready.path: means nothing with docker-health',
  ],
  [
    'a status that is not final',
    `${routed}\nready: { status: §100-200 }`,
    'services.app.ready.status: a final status is 200 to 599',
  ],
  [
    'a range upside down',
    `${routed}\nready: { status: §404-200 }`,
    'services.app.ready.status: the range runs from the lower status to the higher',
  ],

  ['min over max', `${routed}\nscale: { min: §3, max: 2 }`, 'services.app.scale.min: min 3 is over max (2)'],
  [
    'min over the default max',
    `${routed}\nscale: { min: §5 }`,
    'services.app.scale.min: min 5 is over max (4, the default)',
  ],
  [
    'initial over max',
    `${routed}\nscale: { max: 2, initial: §3 }`,
    'services.app.scale.initial: initial 3 is over max (2)',
  ],
  [
    'initial under min',
    `${routed}\nscale: { min: 2, initial: §1 }`,
    'services.app.scale.initial: initial 1 is under min (2)',
  ],

  ['a wake rule without outcome', `${routed}\nwake: [§{ path: / }]`, 'services.app.wake[0].then: is missing'],
  [
    'a status that nothing sends',
    `${routed}\nwake: [{ path: /, then: deny, status: §200 }]`,
    'services.app.wake[0].status: only means something with "then: answer"',
  ],
  [
    'an answer that is no final status',
    `${routed}\nwake: [{ then: answer, status: §100 }]`,
    'services.app.wake[0].status: expected a whole number from 200 to 599, found "100"',
  ],
];

const fileCases: Case[] = [
  ['an unknown section', '§colour: 2', 'colour: unknown key'],
  ['no workers', 'workers: §0', 'workers: expected a whole number from 1 to 256, or auto, found "0"'],
  [
    'more workers than connections',
    'listen: [{ address: "a:1", limits: { connections: §3 } }]\nworkers: 4',
    'listen[0].limits.connections: 3 cannot be shared out between 4 workers: expected at least 4',
  ],
  ['a misspelt section', '§trustedproxy: []', 'trustedproxy: unknown key (did you mean "trustedProxies"?)'],
  [
    'a budget of more memory than there is',
    'budget: { memory: §200% }',
    'budget.memory: expected a share above 0% and at most 100%, such as 80%, or a size such as 12GiB, found "200%"',
  ],
  ['a budget of a later version', 'budget: { §disk: 80% }', 'budget.disk: unknown key'],
  [
    'a budget for nobody',
    'budget: { replicas: §0 }',
    'budget.replicas: expected a whole number from 1 to 100000, found "0"',
  ],
  ['no listener', '§listen: []', 'listen: expected at least one address'],
  ['a listener without address', 'listen: [§{}]', 'listen[0].address: is missing'],
  [
    'a listener that is no address',
    'listen: [{ address: §":8080" }]',
    'listen[0].address: expected host:port, such as 0.0.0.0:8080 or [::]:8080, found ":8080"',
  ],
  ['a port that is none', 'listen: [{ address: §"0.0.0.0:65536" }]', 'listen[0].address: a port is 0 to 65535'],
  [
    'a PROXY protocol that nobody may speak',
    'listen: [{ address: "a:1", proxyProtocol: §true }]',
    'listen[0].proxyProtocol: needs trustedProxies: nobody else may connect then',
  ],
  [
    'a limit that lets no request pass',
    'listen: [{ address: "a:1", limits: { head: §64B } }]',
    'listen[0].limits.head: at least 256B',
  ],
  [
    'no connection at all',
    'listen: [{ address: "a:1", limits: { connections: §0 } }]',
    'listen[0].limits.connections: expected a whole number from 1 to 10000000, found "0"',
  ],
  [
    'two listeners on one address',
    'listen: [{ address: "127.0.0.1:80" }, { address: §"localhost:80" }]',
    'listen[1].address: taken by listen[0] on 127.0.0.1:80',
  ],
  [
    'a listener on what another covers',
    'listen: [{ address: "0.0.0.0:80" }, { address: §"127.0.0.1:80" }]',
    'listen[1].address: taken by listen[0] on 0.0.0.0:80',
  ],
  [
    'the same IPv6 address in two spellings',
    'listen: [{ address: "[::1]:80" }, { address: §"[0:0:0:0:0:0:0:1]:80" }]',
    'listen[1].address: taken by listen[0] on [::1]:80',
  ],
  [
    'the admin API on a listener',
    'listen: [{ address: "127.0.0.1:80" }]\nadmin: { address: §"127.0.0.1:80" }',
    'admin.address: taken by listen[0] on 127.0.0.1:80',
  ],
  [
    'a listener on the default of the admin API',
    'listen: [{ address: §"0.0.0.0:9400" }]',
    'listen[0].address: taken by the admin API on 127.0.0.1:9400 (its default)',
  ],
  [
    'an open admin API without a token',
    'admin: { address: §"0.0.0.0:9400" }',
    'admin.address: 0.0.0.0:9400 is not a loopback address: set admin.token',
  ],
  [
    'an open admin API with an empty token',
    'admin: { address: §"10.0.0.1:9400", token: "" }',
    'admin.address: 10.0.0.1:9400 is not a loopback address: set admin.token',
  ],
  ['a CIDR that is none', 'trustedProxies: [§10.0.0.0/33]', 'trustedProxies[0]: a prefix length of IPv4 is 0 to 32'],
  [
    'a name among addresses',
    'trustedProxies: [10.0.0.1, §lb.internal]',
    'trustedProxies[1]: expected an address or a CIDR, such as 10.0.0.0/8, found "lb.internal"',
  ],
  [
    'registering without an address',
    'consul: { register: §edge }',
    'consul.register: edge needs consul.advertise: where others reach this machine',
  ],
  [
    'a registration that is none',
    'consul: { register: §true }',
    'consul.register: expected false, edge or replicas, found "true"',
  ],
  [
    'advertising every address',
    'consul: { register: edge, advertise: §"0.0.0.0:80" }',
    'consul.advertise: the address under which others reach this machine, no wildcard',
  ],
  [
    'a token twice',
    'consul: { token: t, tokenFile: §/run/token }',
    'consul.tokenFile: does not go with token: the token is in the file, or here',
  ],
  ['a key without its certificate', 'consul: { key: §k.pem }', 'consul.key: means nothing without cert'],
  [
    'a certificate for an agent in clear text',
    'consul: { address: "http://10.0.0.2:8500", cert: §c.pem }',
    'consul.cert: needs an address of https://',
  ],
  [
    'an agent that is no origin, among several',
    'consul: { address: [10.0.0.2, §"ftp://10.0.0.3"] }',
    'consul.address[1]: expected an origin such as http://127.0.0.1:8500, found "ftp://10.0.0.3"',
  ],
  [
    'an agent that is there twice',
    'consul: { §address: ["10.0.0.2:8500", "http://10.0.0.2:8500"] }',
    'consul.address: http://10.0.0.2:8500 is there twice',
  ],
  [
    'several agents by the wrong name',
    'consul: { §addresses: [a] }',
    'consul.addresses: unknown key: several agents are written as a list: address: [http://10.0.0.2:8500, http://10.0.0.3:8500]',
  ],
  [
    'a Consul that is no origin',
    'consul: { address: §"http://127.0.0.1:8500/v1" }',
    'consul.address: expected an origin such as http://127.0.0.1:8500',
  ],
  [
    'a socket that is none',
    'docker: { socket: §docker.sock }',
    'docker.socket: expected the path of a socket, or tcp://host:port, found "docker.sock"',
  ],
  ['routes in the defaults', 'defaults: { §routes: [] }', 'defaults.routes: unknown key'],
  [
    'a wrong default',
    'defaults: { hold: { max: §none } }',
    'defaults.hold.max: expected a whole number from 1 to 10000000, found "none"',
  ],
];

describe('one problem in a file is told with its place:', () => {
  test.each(serviceCases)('%s', (_name, yaml, problem) => {
    const { text, place } = marked(aroundService(yaml));
    expect(problemsOf(text)).toEqual([`${place}  ${problem}`]);
  });

  test.each(fileCases)('%s', (_name, yaml, problem) => {
    const { text, place } = marked(aroundFile(yaml));
    expect(problemsOf(text)).toEqual([`${place}  ${problem}`]);
  });
});

describe('rules across services', () => {
  const listen = 'listen: [{ address: "127.0.0.1:8080" }]\n';

  test('the same host and path twice, whatever their spelling', () => {
    const { text, place } = marked(`${listen}services:
  a: { routes: [{ host: shop.example.com, path: /api }], endpoints: { static: ["x:1"] } }
  b: { routes: [{ host: Shop.Example.COM., path: §/api/ }], endpoints: { static: ["x:1"] } }
`);
    expect(problemsOf(text)).toEqual([`${place}  services.b.routes[0].path: shop.example.com/api already leads to a`]);
  });

  test.each([
    ['/%61pi', '/api', ''],
    ['/caf%c3%a9/', '/caf%C3%A9', ''],
    ['/API, caseInsensitive: true', '/api', ', but for upper and lower case'],
  ])('the same path as %s', (path, same, how) => {
    const { text, place } = marked(`${listen}services:
  a: { routes: [{ host: shop.example.com, path: ${same} }], endpoints: { static: ["x:1"] } }
  b: { routes: [{ host: shop.example.com, path: §${path} }], endpoints: { static: ["x:1"] } }
`);
    const shown = how === '' ? same : '/API';
    const message = `shop.example.com${shown} already leads to a${how}`;
    expect(problemsOf(text)).toEqual([`${place}  services.b.routes[0].path: ${message}`]);
  });

  test('a service with neither endpoints nor run', () => {
    const { text, place } = marked(`${listen}services:\n  §a:\n    routes: [{ path: / }]\n    endpoints: {}\n`);
    const message = 'needs endpoints (consul or static) to route to, or run to start replicas';
    expect(problemsOf(text)).toEqual([`${place}  services.a: ${message}`]);
  });

  test('a service with no content', () => {
    const { text, place } = marked(`${listen}services:\n  §a:\n`);
    expect(problemsOf(text)).toEqual([`${place}  services.a: expected a mapping, found nothing`]);
  });

  test('a name that is none', () => {
    const { text, place } = marked(`${listen}services:\n  §Shop_1: { routes: [{}], endpoints: { static: ["x:1"] } }\n`);
    const message = 'a service name is a-z, 0-9 and "-", at most 63 characters, not "-" first';
    expect(problemsOf(text)).toEqual([`${place}  services.Shop_1: ${message}`]);
  });

  test('what the services keep running is over the budget', () => {
    const { text, place } = marked(`${listen}budget: { replicas: §3 }
services:
  a: { routes: [{ path: /a }], run: { docker: { image: a, port: 1 } }, scale: { min: 2, max: 2 } }
  b: { routes: [{ path: /b }], run: { docker: { image: a, port: 1 } }, scale: { min: 2, max: 2 } }
`);
    expect(problemsOf(text)).toEqual([
      `${place}  budget.replicas: the services' min add up to 4, over budget.replicas (3)`,
    ]);
  });

  test('a start that is over the budget', () => {
    const { text, place } = marked(`${listen}budget: { replicas: 3 }
services:
  a: { routes: [{ path: /a }], run: { docker: { image: a, port: 1 } }, scale: { initial: §4 } }
`);
    expect(problemsOf(text)).toEqual([`${place}  services.a.scale.initial: initial 4 is over budget.replicas (3)`]);
  });
});

describe('the file as a whole', () => {
  test('what is required is missing', () => {
    expect(problemsOf('budget: {}\n')).toEqual(['1:1  listen: is missing', '1:1  services: is missing']);
  });

  test('nothing in it', () => {
    const message = 'nothing in it: listen and services are required';
    expect(problemsOf('')).toEqual([`1:1  ${message}`]);
    expect(problemsOf('# only a comment\n')).toEqual([`1:1  ${message}`]);
  });

  test('a list at the top', () => {
    expect(problemsOf('- a\n')).toEqual(['1:1  expected a mapping at the top']);
  });

  test('a key twice', () => {
    const { text, place } = marked(`${aroundService(routed)}  §app: {}\n`);
    expect(problemsOf(text)).toEqual([`${place}  services.app: the key is already set on line 3`]);
  });

  test.each([
    ['a tab for indentation', 'listen:\n§\t- a\n'],
    ['a bracket that is never closed', 'listen: [{ address: a }\n§services: {}\n'],
    ['a quote that is never closed', 'listen: "a§'],
    ['an alias without anchor', 'listen: §*nope\nservices: {}\n'],
    ['an unknown tag', 'listen: §!money 5\n'],
    ['a second document', 'listen: []\n§---\nservices: {}\n'],
  ])('YAML syntax: %s', (_name, yaml) => {
    const { text, place } = marked(yaml);
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${place}  \\S`));
  });

  test('an anchor within itself', () => {
    const { text, place } = marked('listen: &a [§*a]\nservices: {}\n');
    expect(problemsOf(text)[0]).toBe(`${place}  listen[0]: an anchor may not contain itself`);
  });

  test('anchors that repeat each other until no memory holds them', () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) => `x${index}: &a${index} [${index === 0 ? '1' : `*a${index - 1}, `.repeat(10)}]`,
    );
    const problems = problemsOf(`${levels.join('\n')}\n`);
    expect(problems.filter((problem) => problem.endsWith('aliases repeat too much'))).toHaveLength(1);
  });

  test('anchors that nest each other deeper than any stack', () => {
    const levels = Array.from({ length: 40 }, (_, index) => {
      return `x${index}: &a${index} ${'['.repeat(100)}${index === 0 ? '1' : `*a${index - 1}`}${']'.repeat(100)}`;
    });
    const problems = problemsOf(`${levels.join('\n')}\n`);
    expect(problems.filter((problem) => problem.endsWith('aliases repeat too much'))).toHaveLength(1);
  });

  test('all problems are told, by position', () => {
    const text = `lsiten: []
listen: [{ address: nowhere }]
admin: { address: "0.0.0.0:1" }
services:
  a: { routes: [{ path: a }], blance: random }
  b: { routes: [{ path: / }] }
`;
    expect(problemsOf(text)).toEqual([
      '1:1  lsiten: unknown key (did you mean "listen"?)',
      '2:21  listen[0].address: expected host:port, such as 0.0.0.0:8080 or [::]:8080, found "nowhere"',
      '3:19  admin.address: 0.0.0.0:1 is not a loopback address: set admin.token',
      '5:25  services.a.routes[0].path: a path starts with "/"',
      '5:31  services.a.blance: unknown key (did you mean "balance"?)',
      '6:3  services.b: needs endpoints (consul or static) to route to, or run to start replicas',
    ]);
  });

  test('a wrong default is told once, not once per service', () => {
    const text = `${aroundFile('defaults: { hold: { max: 0 } }')}`;
    expect(problemsOf(text)).toHaveLength(1);
  });
});
