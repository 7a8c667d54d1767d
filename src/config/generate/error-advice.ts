import type { ErrorCode } from '../../model/errors.ts';
import type { RefusalCode } from '../../model/refusals.ts';

/** What an operator does about an answer of the proxy, in Markdown. */
export const refusalAdvice: Record<RefusalCode, string> = {
  NO_ROUTE:
    'Ask `pilotlight routes --explain GET URL`: it says which routes there are for the host, and why none takes it.',
  NO_ENDPOINT:
    'Ask `pilotlight endpoints SERVICE`: no source lists an address, or all are drained or out of use. Pilotlight only ' +
    'routes to this service, so whoever runs it has to start it.',
  HOLD_FULL: 'More requests wait than `hold.max` allows. Raise it, or make the start faster: `pilotlight why SERVICE`.',
  HOLD_BYTES:
    'The bodies of waiting requests fill `hold.maxBytes`, or `budget.heldBytes` for all services. Raise the one that it is.',
  HOLD_CLIENT:
    'One client has more requests waiting than `hold.perClient` allows. It may be a crawler, or a page with many parts.',
  HOLD_DEADLINE:
    'The `grpc-timeout` of the call was over before the service was ready. Give calls that may wake a service more time.',
  HOLD_TIMEOUT:
    'The start took longer than `hold.timeout`. `GET /v1/services/NAME/starts` shows which phase is slow; a start that goes ' +
    'on serves the next request.',
  START_FAILED: '`pilotlight status` shows the cause, the exit code and what the program wrote last.',
  START_BLOCKED:
    'Starts failed, and the next one waits for its time. Mend the cause that `pilotlight status` shows; `pilotlight wake ' +
    'SERVICE` tries at once.',
  WAKE_DENIED:
    'A rule of `wake` with `then: deny` matches this request. Nothing is wrong unless it should wake the service.',
  DRAINING: 'The proxy is being stopped. Behind a load balancer, take it out before that: `/readyz` is 503 by then.',
  DRAIN_OVER: 'The request took longer than `timeouts.drain`. Raise it where requests last longer.',
  OUT_OF_RESOURCES:
    'Raise the limit of open files (`LimitNOFILE`, `ulimit -n`), or look for a leak: the log names the kind.',
  CONNECT_REFUSED: 'Nothing listens at the address. `pilotlight endpoints SERVICE` tells who lists it.',
  CONNECT_TIMEOUT:
    'The address does not answer within `timeouts.connect`: a firewall, a dead host, or a full accept queue.',
  UPSTREAM_RESET:
    'The service closed the connection before it answered: it crashed, or was stopped. Look at `pilotlight logs SERVICE`.',
  UPSTREAM_DECLINED:
    'The service ends connections of HTTP/2 in an orderly way while it gets requests, as at its own shutdown. A retry helps.',
  TLS_FAILED:
    'The certificate of the service is not trusted, or it speaks no TLS: see `upstream.tls`. The event `unreachable` has the reason.',
  UPGRADE_UNSUPPORTED: 'A WebSocket cannot go over HTTP/2 to this service: set `upstream.protocol: http1`.',
  FIRST_BYTE_TIMEOUT:
    'The service was silent for `timeouts.firstByte`. Raise it for slow answers, or look at what the service waits for.',
  BAD_RESPONSE: 'The event `bad-answer` tells the address and what the answer breaks. Mend the service.',
  BAD_REQUEST:
    'The client sends what is not valid HTTP; the access log has its address. See [conformance.md](conformance.md).',
  MISDIRECTED: 'A browser uses one connection for hosts whose TLS settings differ. It opens another one by itself.',
  TLS_REQUIRED:
    'The client speaks plain HTTP to a port with TLS. Use `https://`, or add a listener with `redirectToHttps`.',
  BAD_HOST: 'The request has no Host, two of them, or one that is none. Scanners do that.',
  AMBIGUOUS_PATH:
    'Routes of this host differ by how the path is read. See ' +
    '[operations.md](operations.md#paths-that-can-be-read-in-more-than-one-way) for what to do.',
  HEAD_TOO_LARGE: 'Mostly cookies that grew. Clear them, or raise `limits.head` of the listener.',
  TARGET_TOO_LONG: 'The address is longer than the listener takes. Put the data into a body.',
  HEAD_TIMEOUT: 'The client was too slow (`timeouts.head`). Many of them at once may be an attack.',
  BODY_TIMEOUT: 'The client stopped sending its body (`timeouts.body`).',
  BODY_TOO_LARGE: 'Raise `maxBody` of the route for uploads of this size.',
  VERSION_UNKNOWN: 'The client speaks another version of HTTP than 1.0, 1.1 and, where it is on, 2.',
  CODING_UNKNOWN: 'The client used a transfer coding other than `chunked`.',
  METHOD_REFUSED: 'TRACE and CONNECT are not passed on.',
  FORBIDDEN:
    'The address of the client is not in `allow`, or its certificate not in `allowSubjects`. Behind another proxy, look at `trustedProxies` first.',
  UNAUTHORIZED: 'The route asks for a password (`basicAuth`). `pilotlight hash-password` makes the hash for one.',
  AUTH_BUSY:
    'Hashes of passwords are slow on purpose, and too many are checked at once: somebody may be guessing. Bound it with `rate`.',
  RATE_LIMITED: 'The client is over `rate` of the route. `Retry-After` tells it when to come back.',
  CONNECTION_LIMIT: 'Raise `limits.connections` of the listener where memory allows, or `limits.connectionsPerClient`.',
};

/** What an operator does about an error of the control side, in Markdown. */
export const errorAdvice: Record<ErrorCode, string> = {
  USAGE: 'The command line is wrong: `pilotlight help COMMAND` shows how it is written.',
  CONFIG_NOT_FOUND:
    'Name the file with `-c`, or have `pilotlight init` write one; the message lists where it was looked for.',
  CONFIG_INVALID: '`pilotlight check -c FILE` prints every mistake by file, line and column.',
  PASSWORD_UNUSABLE: 'The password is empty, too long, or holds what cannot be typed.',
  ADDRESS_IN_USE: 'Another program listens there: `ss -ltnp` names it. It may be another Pilotlight.',
  ADDRESS_FORBIDDEN:
    'The address is none of this machine, or the port is below 1024 and needs a right to bind it, which the unit in `packaging/systemd/` gives.',
  CERTIFICATE_UNUSABLE:
    '`pilotlight check` says what is wrong with which file; `pilotlight certificates` how it stands.',
  ACME_UNREACHABLE:
    'The authority does not answer. It is asked again; certificates that are there go on. See [acme.md](acme.md).',
  ACME_REFUSED:
    'The authority says why in the message: mostly, the host does not lead here from outside. See [acme.md](acme.md).',
  STATE_LOCKED: 'Another process uses the state directory. Give each one a `state` of its own.',
  STATE_UNUSABLE: 'The state directory cannot be written: look at its owner, its mode and the disk.',
  HANDING_OVER: 'An upgrade is under way. Ask again in a second.',
  UPGRADE_FAILED: 'The old process goes on. The message says what kept the new one from serving.',
  SERVICE_UNKNOWN: 'No service is called so: `pilotlight status` lists them.',
  ENDPOINT_UNKNOWN:
    'The service has no such address: `pilotlight endpoints SERVICE` lists them, and they are written as there.',
  REPLICA_NOT_READY:
    'A replica that starts cannot be drained, and one that is being stopped not be had back. `pilotlight endpoints SERVICE` shows how it stands; `scale` has another number of them.',
  SCALE_OUT_OF_BOUNDS: 'The number is not within `scale.min` and `scale.max`.',
  SERVICE_NOT_RUNNABLE: 'The service has no `run`: Pilotlight routes to it, and others start and stop it.',
  ADMIN_UNREACHABLE: 'Nothing answers at the admin address. Does the proxy run? Name another one with `--admin`.',
  ADMIN_REFUSED: 'The token is wrong (`--token`, `PILOTLIGHT_ADMIN_TOKEN`), or the proxy is older than the command.',
  RUNTIME_UNREACHABLE: 'Docker does not answer. Running replicas serve on; starts wait until it is back.',
  RUNTIME_FORBIDDEN: 'The socket of Docker may not be used: add the user to its group, or look at `docker.socket`.',
  NOT_A_MANAGER:
    'The engine that `swarm.socket` names is in no swarm, or only works in one. Make a swarm with `docker swarm init`, or name ' +
    'one of its managers.',
  NO_NODE_FITS:
    'No host of the swarm may take the replica, or has left what it asks for: compare `constraints` and `reserve` of its ' +
    '`run` with `docker node ls` and `docker node inspect`.',
  HOST_LOST: 'The host was drained or lost while it started the replica. Another one is tried at once.',
  RUNTIME_FAILED: 'The engine refused, and the message has its words.',
  IMAGE_MISSING: 'Pull or build the image on this machine. It is looked for again by itself.',
  CONTAINER_MISSING: 'No container has the name in `docker.container`. Create it.',
  MOUNT_MISSING: 'The source path of a volume does not exist on the machine of the engine.',
  COMMAND_NOT_FOUND: 'The first word of `command` is no program there; `PATH` is the one of the proxy.',
  PORT_CLASH:
    'Another program had the port before the replica listened on it. Another one is tried at once; where the service has a ' +
    'fixed port, something else has it. Where the command has another program listen for it (`podman run -p`), set ' +
    '`run.process.listener: any`.',
  REPLICA_EXITED: 'The program ended before it was ready: `pilotlight status` has its last lines and the exit code.',
  OUT_OF_MEMORY: 'The kernel ended it. Raise `memory` of the container, or look for what grew.',
  READY_TIMEOUT:
    'It ran, and did not answer as `ready` asks. The last probe in `pilotlight status` says what came instead; raise `ready.timeout` for slow starts.',
  SPEAKS_TLS: 'The service answers by TLS: set `upstream.tls`.',
  IDENTITY_CHANGED:
    'What answered was not the replica that was started: something else uses its port. The start is tried again.',
  DISCOVERY_UNREACHABLE: 'Consul does not answer. Requests go on with what was known last.',
  DISCOVERY_FAILED: 'Consul answers with an error, which the message has.',
  DISCOVERY_DENIED: 'The token may not read everything that it should: see its policy.',
  CLUSTER_UNLED:
    'No proxy of the cluster leads at the moment, or it cannot be reached: what is warm goes on, and another leads soon. `pilotlight status` at any of them says what it sees; Consul has to answer.',
  CLUSTER_RIGHT_LOST:
    'The proxy led, and could not renew that in time: it does nothing more with replicas. Whoever leads next goes on.',
  CLUSTER_SECRET_WRONG:
    'Two proxies have different values of `cluster.secret`: give all of them the same. What is warm goes on meanwhile. Where what Consul keeps was sealed with another one, see [cluster.md](cluster.md#certificates-and-session-tickets).',
  CLUSTER_OTHER:
    'At the address that a member of the cluster advertises is another proxy: look at `cluster.name` and `cluster.advertise` of both. Two clusters need two names.',
  CLUSTER_VERSION:
    'The versions of two proxies do not understand each other: bring all to the same one. The edges of the older serve on meanwhile.',
  CLUSTER_LINK_FAILED:
    'The proxy that leads cannot be reached from this one, or is too slow: look at the network between them and at `cluster.advertise`. What is warm goes on, and it is tried again.',
  CLUSTER_PROTOCOL:
    'Something that is no member of the cluster connects to its port: it was turned away. Between members it is a mistake of ours.',
  CANCELLED: 'The proxy is ending, or whoever asked went away.',
  INTERNAL: 'A mistake of ours. Please report it with the lines of the log around it.',
};
