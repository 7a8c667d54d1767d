import type { HeaderRules, RouteRules } from '../../model/settings.ts';
import type { ServiceConfig } from '../schema/schema.ts';

type RouteConfig = ServiceConfig['routes'][number];
type DirectionConfig = RouteConfig['headers']['request'];

/** The rules of a route; undefined where there are none, which is what the request path asks first. */
export function routeRules(route: RouteConfig): RouteRules | undefined {
  const { strip, addSlash, redirect, allow = [], basicAuth, rate } = route;
  const headers = { request: headerRules(route.headers.request), response: headerRules(route.headers.response) };
  const silent = Object.values(headers).every(({ set, remove }) => set.length + remove.length === 0);
  if (!strip && !addSlash && !redirect && !basicAuth && !rate && allow.length === 0 && silent) return undefined;
  return {
    strip,
    redirect,
    ...(addSlash ? { addSlash } : {}),
    allow,
    basicAuth: basicAuth && {
      realm: basicAuth.realm,
      users: Object.entries(basicAuth.users).map(([name, hash]) => ({ name, hash })),
      forward: basicAuth.forward,
    },
    rate: rate && { requests: rate.requests, perMs: rate.per, burst: rate.burst ?? rate.requests },
    headers,
  };
}

function headerRules({ set, remove }: DirectionConfig): HeaderRules {
  return { set: Object.entries(set).map(([name, value]) => ({ name, value })), remove };
}
