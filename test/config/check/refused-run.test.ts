import { refusedInService } from './refusals.ts';

refusedInService([
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
]);
