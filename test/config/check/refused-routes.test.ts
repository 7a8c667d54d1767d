import { refusedInService, run } from './refusals.ts';

refusedInService([
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
]);
