import { PilotlightError } from '../../model/errors.ts';

/** What the token may not read, of what was asked about. */
export interface Denied {
  service: boolean;
  nodes: ReadonlySet<string>;
}

/**
 * Asks Consul what its token may read: `open` where there are no ACLs, undefined where Consul does not tell. The node `''`
 * stands for all nodes.
 * @throws DISCOVERY_UNREACHABLE, DISCOVERY_FAILED, CANCELLED
 */
export type AskAccess = (
  service: string,
  nodes: readonly string[],
  signal: AbortSignal,
) => Promise<Denied | 'open' | undefined>;

/** Of the agent, which takes no more at once. */
const MOST_QUESTIONS = 64;
export const ACCESS_PATH = '/v1/internal/acl/authorize';

/** One question to the agent: POST `body` to {@link ACCESS_PATH}. */
type PostAccess = (body: string, signal: AbortSignal) => Promise<{ status: number; body: string }>;

export function createAskAccess(post: PostAccess): AskAccess {
  return async (service, nodes, signal) => {
    const denied = new Set<string>();
    const left = [...nodes];
    do {
      const some = left.splice(0, MOST_QUESTIONS - 1);
      const question = (Resource: string, Segment: string) => ({ Resource, Segment, Access: 'read' });
      const asked = [question('service', service), ...some.map((node) => question('node', node))];
      const { status, body } = await post(JSON.stringify(asked), signal);
      if (status === 401 && body.includes('disabled')) return 'open';
      if (status >= 500) throw new PilotlightError('DISCOVERY_FAILED', `answers with status ${status}`);
      const allowed = status === 200 ? readVerdicts(body, asked.length) : undefined;
      if (allowed === undefined) return undefined;
      if (!allowed[0]) return { service: true, nodes: denied };
      some.forEach((node, index) => {
        if (!allowed[index + 1]) denied.add(node);
      });
    } while (left.length > 0);
    return { service: false, nodes: denied };
  };
}

/** Whether each is allowed, in the order of the questions; undefined when that is not what the answer says. */
function readVerdicts(body: string, count: number): boolean[] | undefined {
  try {
    const list: unknown = JSON.parse(body);
    if (!Array.isArray(list) || list.length !== count) return undefined;
    return list.map(({ Allow: allow }) => allow === true);
  } catch {
    return undefined;
  }
}
