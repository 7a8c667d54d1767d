import type { Draft } from '../draft.ts';
import type { Enabled } from '../own-labels.ts';
import type { Dialect, DialectRow } from './dialect.ts';
import { type Match, readRule } from './traefik-rule.ts';

const ROWS: readonly DialectRow[] = [
  { written: 'traefik.enable', fate: 'understood', becomes: '`false` declares nothing' },
  {
    written: 'traefik.http.routers.R.rule',
    fate: 'understood',
    becomes: 'routes: Host, PathPrefix, ClientIP, `&&`, `||`',
  },
  {
    written: 'rule: Path, Method, Header, Query, HostRegexp, !',
    fate: 'refused',
    becomes: 'routes have no conditions yet',
  },
  {
    written: 'traefik.http.routers.R.entrypoints',
    fate: 'left out',
    becomes: 'the listeners of the file are what there is',
  },
  { written: 'traefik.http.routers.R.tls', fate: 'left out', becomes: 'TLS is that of the listeners' },
  {
    written: 'traefik.http.routers.R.tls.options',
    fate: 'refused',
    becomes: 'they may ask for certificates of clients',
  },
  {
    written: 'traefik.http.routers.R.service',
    fate: 'understood',
    becomes: 'one service a container; one of Traefik itself (`@internal`) gets no route, any other one is refused',
  },
  { written: 'traefik.http.routers.R.priority', fate: 'left out', becomes: 'the longest path wins' },
  { written: 'traefik.http.routers.R.middlewares', fate: 'understood', becomes: 'as below' },
  { written: 'middleware stripprefix', fate: 'understood', becomes: "`strip`, where it is the route's own path" },
  {
    written: 'middleware redirectscheme',
    fate: 'left out',
    becomes: '`redirectToHttps` of a listener; its router is no route',
  },
  { written: 'middleware ipallowlist, ipwhitelist', fate: 'understood', becomes: '`allow` of the route' },
  {
    written: 'middleware headers: customRequestHeaders, customResponseHeaders',
    fate: 'understood',
    becomes: '`headers` of the route',
  },
  { written: 'any other middleware', fate: 'refused', becomes: 'it may guard the service' },
  {
    written: 'traefik.http.services.S.loadbalancer.server.port',
    fate: 'understood',
    becomes: 'the port; two of them are refused',
  },
  {
    written: 'traefik.http.services.S.loadbalancer.server.scheme',
    fate: 'understood',
    becomes: '`upstream.tls`, `upstream.protocol`',
  },
  { written: 'any other label', fate: 'left out', becomes: 'it is said' },
];

/** What may stand behind the name of a service or middleware of the same container or instance. */
const PROVIDER = /@(?:docker|consulcatalog)$/;

type Options = Map<string, { label: string; value: string }>;

/** Routers, services and middlewares, by name. */
interface Parts {
  routers: Map<string, Options>;
  services: Map<string, Options>;
  middlewares: Map<string, Options>;
}

/** The labels of Traefik, in any case of letters. */
export const traefik: Dialect = {
  name: 'traefik',
  rows: ROWS,
  owns: (label) => /^traefik\./i.test(label),
  read(labels, draft): Enabled {
    const own = Object.entries(labels).filter(([label]) => traefik.owns(label));
    if (own.length === 0) return undefined;
    const enable = own.find(([label]) => label.toLowerCase() === 'traefik.enable')?.[1].toLowerCase();
    if (enable === 'false') return false;
    const parts = sort(own, draft);
    if (enable !== 'true' && parts.routers.size === 0) return undefined;
    for (const [name, router] of parts.routers) readRouter(name, router, parts, draft);
    for (const service of parts.services.values()) readService(service, draft);
    // There a container runs all the time, unless Sablier is told to put it to sleep.
    const isWatched = Object.keys(labels).some((label) => label === 'sablier.enable');
    if (draft.isRun && !isWatched) draft.setOnce('traefik.enable', ['scale', 'idle'], 'never', true);
    return true;
  },
};

function sort(own: readonly [string, string][], draft: Draft): Parts {
  const parts: Parts = { routers: new Map(), services: new Map(), middlewares: new Map() };
  for (const [label, value] of own) {
    const [, kind = '', name = '', option = ''] = /^traefik\.http\.(\w+)\.([^.]+)\.(.+)$/i.exec(label) ?? [];
    const group = parts[kind.toLowerCase() as keyof Parts] as Map<string, Options> | undefined;
    if (group === undefined || !Object.hasOwn(parts, kind.toLowerCase())) {
      if (label.toLowerCase() !== 'traefik.enable') draft.remark(label, 'is not understood and left out');
      continue;
    }
    const options: Options = group.get(name.toLowerCase()) ?? new Map();
    options.set(option.toLowerCase(), { label, value });
    group.set(name.toLowerCase(), options);
  }
  return parts;
}

function readRouter(name: string, router: Options, { middlewares, services }: Parts, draft: Draft): void {
  const rule = router.get('rule');
  for (const [option, { label }] of router) {
    if (option === 'tls.options') draft.refuse(label, 'is not understood, and it may guard the service');
    else if (!['rule', 'middlewares', 'service'].includes(option)) draft.remark(label, `${option} is left out`);
  }
  const target = router.get('service');
  if (target?.value.endsWith('@internal')) {
    draft.remark(target.label, `the router ${name} is left out: it leads to Traefik itself`);
    return;
  }
  if (target !== undefined && !services.has(target.value.replace(PROVIDER, '').toLowerCase())) {
    draft.refuse(target.label, `expected labels of the service ${target.value}, found none`);
  }
  if (rule === undefined) {
    const first = [...router.values()][0]?.label ?? `traefik.http.routers.${name}`;
    draft.refuse(first, `expected a rule for the router ${name}, found none`);
    return;
  }
  const reading = readRule(rule.value);
  if ('fault' in reading) {
    draft.refuse(rule.label, reading.fault);
    return;
  }
  const used = router.get('middlewares');
  const named = used?.value.split(',').map((each) => each.trim().replace(PROVIDER, '').toLowerCase()) ?? [];
  const redirect = named.map((each) => middlewares.get(each)?.get('redirectscheme.scheme')).find((found) => found);
  if (redirect !== undefined) {
    draft.remark(redirect.label, `the router ${name} is left out: redirectToHttps of a listener does what it does`);
    return;
  }
  for (const match of reading.matches) addRoute(rule.label, match, draft);
  const routes = reading.matches.map((_, index) => draft.routes - reading.matches.length + index);
  for (const each of named) {
    const middleware = middlewares.get(each);
    if (middleware === undefined)
      draft.refuse(used?.label ?? '', `expected labels of the middleware ${each}, found none`);
    else
      for (const [index, match] of reading.matches.entries()) {
        readMiddleware(each, middleware, ['routes', routes[index] as number], match, draft);
      }
  }
}

function addRoute(label: string, { host, path, clients }: Match, draft: Draft): void {
  const route = ['routes', draft.routes];
  if (host !== undefined) draft.set(label, [...route, 'host'], host, true);
  draft.set(label, [...route, 'path'], path ?? '/', true);
  if (clients !== undefined) draft.set(label, [...route, 'allow'], clients.join(','));
}

function readMiddleware(
  name: string,
  options: Options,
  route: readonly (string | number)[],
  match: Match,
  draft: Draft,
): void {
  for (const [option, { label, value }] of options) {
    const header = /^headers\.custom(request|response)headers\.(.+)$/.exec(option);
    if (option === 'stripprefix.prefixes') {
      const prefixes = value.split(',').map((prefix) => prefix.trim().replace(/\/+$/, ''));
      if (prefixes.includes((match.path ?? '/').replace(/\/+$/, ''))) draft.set(label, [...route, 'strip'], 'true');
      else draft.refuse(label, `expected the path of the route (${match.path ?? '/'}), found ${value}`);
    } else if (/^ip(?:allow|white)list\.sourcerange$/.test(option)) {
      draft.set(label, [...route, 'allow'], value);
    } else if (header !== null) {
      const [, side = '', field = ''] = header;
      if (value === '') draft.add(label, [...route, 'headers', side, 'remove'], field);
      else draft.set(label, [...route, 'headers', side, 'set', field], value);
    } else if (option !== 'stripprefix.forceslash') {
      draft.refuse(label, `the middleware ${name} is not understood, and it may guard the service`);
    }
  }
}

function readService(service: Options, draft: Draft): void {
  for (const [option, { label, value }] of service) {
    if (option === 'loadbalancer.server.port') {
      const isOther = draft.port !== undefined && traefik.owns(draft.port.label) && draft.port.value !== value;
      if (isOther)
        draft.refuse(label, `expected one port; ${draft.called(draft.port?.label ?? '')} names ${draft.port?.value}`);
      draft.port ??= { label, value };
    } else if (option === 'loadbalancer.server.scheme') {
      if (value === 'https') draft.setOnce(label, ['upstream', 'tls'], 'true');
      else if (value === 'h2c') draft.setOnce(label, ['upstream', 'protocol'], 'http2');
      else if (value !== 'http') draft.refuse(label, `expected http, https or h2c, found ${value}`);
    } else draft.remark(label, `${option} is left out`);
  }
}
