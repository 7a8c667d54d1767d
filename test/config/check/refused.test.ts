import { refusedInService, routed, run } from './refusals.ts';

refusedInService([
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
]);
