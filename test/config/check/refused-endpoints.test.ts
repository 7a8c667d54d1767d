import { type Case, refusedInService } from './refusals.ts';

refusedInService([
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
]);
