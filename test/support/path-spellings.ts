const slashes = [
  '/',
  '//',
  '/./',
  '\\',
  '%2f',
  '%2F',
  '%5c',
  '%252f',
  '%25252f',
  '%c0%af',
  '%e0%80%af',
  '/;/',
  '/;a=b/',
];
const names = ['secret', '%73ecret', 'secre%74', '%2573ecret', '%c1%b3ecret', 'secret;a=b', 'secret.'];
const climbs = ['..', '%2e%2e', '.%2E', '%252e%252e', '..;', '..;a=b', '%c0%ae%c0%ae', '%2e.'];
const ends = ['/k', '%2fk', '\\k', ';/k', '%3b/k', '%20/k', './k', '%2e/k', '//k', '/./k', '/k%20'];

/** Targets that one application or another takes for `/secret/…`. */
export const guardedSpellings: string[] = [
  ...new Set([
    ...slashes.slice(1).map((slash) => `/${slash.replace(/^\//, '')}secret/k`),
    ...slashes.map((slash) => `/x${slash}..${slash}secret/k`),
    ...names.map((name) => `/${name}/k`),
    ...climbs.flatMap((climb) => [
      `/x/${climb}/secret/k`,
      `/x/y/${climb}/${climb}/secret/k`,
      `/x%2f${climb}%2fsecret/k`,
    ]),
    ...ends.map((end) => `/secret${end}`),
    '/a%2fb/%2e%2e/secret/k',
    '//host/secret/k',
    '/\\host:80//secret/k',
    '//user@host/x/../secret/k',
    '/secret/open/../k',
    '/secret/open%2f..%2fk',
    '/secret/x/../k',
    '/%2e/secret/k',
    '/secret%3fk',
    '/sec%09ret/k',
    '/%0dsecret/k',
    '/secret%0a',
    '/secret%20%0c/k',
    '/secret%250a/k',
    '/%u0073ecret/k',
    '/x/%u002e%u002E%u002fsecret/k',
    '/x/%2e%2e/../x/secret/k',
  ]),
];
