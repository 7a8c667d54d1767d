import type { Outcome } from './outcome.ts';
import type { Policy } from './policy.ts';
import type { Scenario } from './scenario.ts';

/** Runs a scenario under a policy, on virtual time. */
export async function simulate(_scenario: Scenario, _policy: Policy): Promise<Outcome> {
  throw new Error('there is no simulation yet');
}
