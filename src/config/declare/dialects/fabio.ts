import type { Draft } from '../draft.ts';
import { setPlace } from '../own-labels.ts';
import type { Dialect, DialectRow } from './dialect.ts';

const PREFIX = 'urlprefix-';

const ROWS: readonly DialectRow[] = [
  { written: 'urlprefix-HOST/PATH', fate: 'understood', becomes: 'a route; `*.` patterns of hosts too' },
  { written: 'urlprefix-:PORT', fate: 'refused', becomes: 'TCP: a listener with `tcp` leads to a service of the file' },
  { written: 'strip=/PATH', fate: 'understood', becomes: "`strip` of the route, where it is the route's own path" },
  { written: 'host=NAME', fate: 'understood', becomes: '`upstreamHost`; `host=dst` is refused' },
  { written: 'proto=http, https, grpc, grpcs', fate: 'understood', becomes: '`upstream.tls`, `upstream.protocol`' },
  { written: 'proto=tcp, tcp+sni, https+tcp+sni', fate: 'refused', becomes: 'as `urlprefix-:PORT`' },
  {
    written: 'tlsskipverify=true',
    fate: 'understood',
    becomes: '`upstream.tls.verify: false`, with proto=https or grpcs',
  },
  { written: 'allow=ip:CIDR', fate: 'understood', becomes: '`allow` of the route' },
  { written: 'deny=ip:CIDR', fate: 'refused', becomes: '`allow` names who is let in' },
  { written: 'auth=NAME', fate: 'refused', becomes: '`basicAuth` of a route of the file' },
  { written: 'redirect=STATUS,URL', fate: 'understood', becomes: '`redirect` of the route; `$path` is `{path}`' },
  {
    written: 'weight=N',
    fate: 'understood',
    becomes:
      '`endpoints.consul.shares`: what the instance gets of all requests; left out of a container, which is alone',
  },
];

/** fabio's tags. A label holds the options in its value, a tag behind a blank. */
export const fabio: Dialect = {
  name: 'fabio',
  rows: ROWS,
  owns: (label) => label.startsWith(PREFIX),
  shareOf(tag) {
    const share = tag.startsWith(PREFIX) ? Number(/\sweight=(\S+)/.exec(tag)?.[1] ?? 0) : 0;
    // Less is nothing, and would be written in another form.
    return share >= 0.0001 && share <= 1 ? share : undefined;
  },
  read(labels, draft) {
    const own = Object.entries(labels).filter(([label]) => label.startsWith(PREFIX));
    for (const [label, value] of own) readPrefix(label, `${label} ${value}`, draft);
    return own.length > 0 ? true : undefined;
  },
};

function readPrefix(label: string, written: string, draft: Draft): void {
  const [place = '', ...options] = written.slice(PREFIX.length).trim().split(/\s+/);
  if (/^:\d*$/.test(place) || place === '') {
    draft.refuse(label, 'expected urlprefix-HOST/PATH; TCP is led by a listener of the file');
    return;
  }
  const route = ['routes', draft.routes];
  setPlace(draft, label, route, place);
  const path = place.includes('/') ? place.slice(place.indexOf('/')) : '/';
  const isTls = options.some((option) => /^proto=(?:https|grpcs)$/.test(option));
  for (const option of options) readOption(label, option, path, route, isTls, draft);
}

/** @param isTls whether its instances are spoken to by TLS */
function readOption(
  label: string,
  option: string,
  path: string,
  route: (string | number)[],
  isTls: boolean,
  draft: Draft,
): void {
  const [name = '', value = ''] = split(option);
  switch (name) {
    case 'strip':
      if (trimmed(value) === trimmed(path)) draft.set(label, [...route, 'strip'], 'true');
      else draft.refuse(label, `strip: expected the path of the route (${path}), found ${value}`);
      return;
    case 'host':
      if (value === 'dst') draft.refuse(label, 'host: expected a name; dst, the address itself, is none');
      else draft.setOnce(label, ['upstreamHost'], value);
      return;
    case 'proto':
      if (!/^(?:https?|grpcs?)$/.test(value))
        draft.refuse(label, `proto: expected http, https, grpc or grpcs, found ${value}`);
      if (isTls) draft.setOnce(label, ['upstream', 'tls', 'verify'], 'true');
      if (value.startsWith('grpc')) draft.setOnce(label, ['upstream', 'protocol'], 'http2');
      return;
    case 'tlsskipverify':
      if (value !== 'true') return;
      if (!isTls) draft.remark(label, 'tlsskipverify is left out without proto=https or grpcs');
      else draft.replace(label, ['upstream', 'tls', 'verify'], 'false');
      return;
    case 'allow': {
      const ranges = value.split(',').map((range) => range.replace(/^ip:/, ''));
      draft.set(label, [...route, 'allow'], ranges.join(','));
      return;
    }
    case 'redirect': {
      const [status = '', to = ''] = value.split(/,(.*)/s);
      draft.set(label, [...route, 'redirect', 'status'], status);
      draft.set(label, [...route, 'redirect', 'to'], to.replaceAll('$path', '{path}'));
      return;
    }
    case 'deny':
    case 'auth':
      draft.refuse(label, `${name} is not understood, and without it more would be let in than was meant`);
      return;
    case 'weight':
      if (draft.isRun)
        draft.remark(
          label,
          'weight is left out: one container is all that the route leads to, and takes every request',
        );
      else if (!(Number(value) >= 0 && Number(value) <= 1))
        draft.refuse(label, `weight: expected a share from 0 to 1, found ${value}`);
      return;
    default:
      draft.remark(label, `${name} is not understood and left out`);
  }
}

function split(option: string): string[] {
  const at = option.indexOf('=');
  return at === -1 ? [option] : [option.slice(0, at), option.slice(at + 1)];
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}
