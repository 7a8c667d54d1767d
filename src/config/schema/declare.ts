import { z } from 'zod';
import type { DeclareAllow, DeclareSettings, DeclareSourceSettings } from '../../model/declarations.ts';
import { type Exactly, list, option, optional, options, section } from '../option/option.ts';
import { switchOrSection } from '../option/shorthand.ts';
import { choice, integer, parsed, type Reading, text } from '../option/value-types.ts';
import { optionAt } from '../option/walk.ts';
import { readHostPattern } from './routes.ts';
import { serviceSchema } from './service.ts';

/** The path of an option of a service, without the places of lists: `routes.strip`. */
function readOptionPath(text: string): Reading<string> {
  const steps = text.split('.');
  return optionAt(serviceSchema, steps) === undefined ? { fault: `a service has no option ${text}` } : { value: text };
}

const allowOptions = {
  hosts: optional(
    z
      .array(parsed('host', 'a host such as shop.example.com or *.example.com', readHostPattern))
      .min(1, 'expected at least one host'),
    'Hosts of routes: exact, or `*.suffix` with all below it. With it a route without a host is refused; a host that ' +
      'routes of the file have too may only be declared where it is named here; and certificates are ordered only for ' +
      'hosts that are.',
    'any host that no route of the file has',
  ),
  options: optional(
    z
      .array(parsed('path of an option', 'the path of an option such as scale.idle', readOptionPath))
      .min(1, 'expected at least one option'),
    'Options of a service by their paths, such as `scale` or `ready.path`, each with all below it. Host and path of ' +
      'routes, the port and the group need not be named.',
    'any, but those that run something or read files',
  ),
};

const ownAllow = optional(
  options(allowOptions) satisfies Exactly<DeclareAllow>,
  'What this source may declare, in the place of `declare.allow`.',
  'as `declare.allow`',
);

const prefix = (what: string) =>
  option(
    text({ pattern: /^[a-z0-9][a-z0-9.-]{0,62}(?<!\.)$/, expected: 'a word such as pilotlight' }),
    'pilotlight',
    `What the ${what} begin with, before a dot: with another one several proxies can tell theirs apart.`,
  );

const docker = section(
  {
    prefix: prefix('labels'),
    networks: optional(
      z.array(text()).min(1, 'expected at least one network'),
      'Networks of which a container has to be in one.',
      'any',
    ),
    allow: ownAllow,
  },
  'Which containers, and what they may say.',
);

const consul = section(
  {
    prefix: prefix('tags'),
    allow: ownAllow,
  },
  'Which services of Consul, and what they may say.',
);

const NOBODY = 'nobody is asked';

/** `declare`. */
export const declareSchema = section(
  {
    docker: switchOrSection(
      docker,
      'networks',
      'true or a list of networks',
      'Containers say by labels where they belong: `true`, or with what else is to be said of it.',
      NOBODY,
    ),
    consul: switchOrSection(
      consul,
      undefined,
      'true',
      "Services in Consul's catalogue say by tags and metadata where they belong: `true`, or with what else is to be " +
        'said of it.',
      NOBODY,
    ),
    allow: section(allowOptions, 'What may be declared, by any source that does not say otherwise.'),
    dialects: list(
      choice('fabio', 'traefik', 'sablier'),
      'Labels and tags of other programs that are understood too. What of them is not understood is an event.',
    ),
    maxServices: option(
      integer('services', 1, 10_000),
      '100',
      'Most services that are declared; the oldest ones hold, further ones are told of.',
    ),
  },
  'Services that say themselves where they belong, in place of in this file. Off unless a source is named. See ' +
    '[Services that declare themselves](declare.md).',
  {
    yields: ({ docker, consul, allow, dialects, maxServices }): Omit<DeclareSettings, 'defaults' | 'folder'> => {
      const sources: Record<string, DeclareSourceSettings> = {};
      if (docker) sources['docker'] = { ...docker, allow: docker.allow ?? allow };
      if (consul) sources['consul'] = { ...consul, allow: consul.allow ?? allow };
      return { sources, dialects, maxServices };
    },
  },
);
