import { scryptSync } from 'node:crypto';
import type { HeaderRules, RouteRules } from '../../../src/model/route-rules.ts';
import { EdgeHarness, type policy, type TableChange } from '../edge-harness.ts';
import { answering, Origin, ok, type Seen } from '../wire.ts';

type RuleChange = Partial<Omit<RouteRules, 'headers'>> & {
  request?: Partial<HeaderRules>;
  response?: Partial<HeaderRules>;
};

/** Rules that ask and change nothing, with changes. */
export function rules({ request, response, ...change }: RuleChange = {}): RouteRules {
  return {
    strip: false,
    redirect: undefined,
    allow: [],
    basicAuth: undefined,
    rate: undefined,
    headers: { request: { set: [], remove: [], ...request }, response: { set: [], remove: [], ...response } },
    ...change,
  };
}

/** Routes of service `app`, by path. */
export function routes(byPath: Record<string, RouteRules | undefined>): NonNullable<TableChange['routes']> {
  return Object.entries(byPath).map(([path, each]) => ({ host: undefined, path, service: 'app', rules: each }));
}

/**
 * An edge whose service `app` is one origin, behind routes with rules. The origin answers with the target that it saw.
 */
export async function serve(
  byPath: Record<string, RouteRules | undefined>,
  table: TableChange = {},
  change: Parameters<typeof policy>[0] = {},
  answer: (seen: Seen) => string = (seen) => ok(seen.line.split(' ')[1]),
): Promise<{ harness: EdgeHarness; origin: Origin; seen: Seen[] }> {
  const seen: Seen[] = [];
  const origin = await Origin.listen(
    answering((request) => {
      seen.push(request);
      return answer(request);
    }),
  );
  const harness = await EdgeHarness.ready(origin, change, { routes: routes(byPath), ...table });
  return { harness, origin, seen };
}

/** A hash that costs next to nothing, as the configuration takes it. */
export function cheapHash(password: string, ln = 10, r = 1): string {
  const salt = Buffer.from('a salt of 16 byt');
  const hash = scryptSync(password, salt, 32, { N: 2 ** ln, r, p: 1, maxmem: 2 ** 28 });
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$scrypt$ln=${ln},r=${r},p=1$${text(salt)}$${text(hash)}`;
}

/** The Authorization field of a user. */
export function basic(user: string, password: string): string {
  return `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}\r\n`;
}
