import { refusedInFile } from './refusals.ts';

refusedInFile([
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
]);
