import type { ReplicaOutput, StartFailure } from '../../model/status.ts';
import type { ControlContext } from '../context.ts';
import { lastOutput } from '../replica/last-output.ts';
import type { Replica } from '../replica/replica.ts';

/** What each replica that runs wrote last; where none runs, what the last start wrote that failed. */
export async function replicaOutput(
  context: ControlContext,
  replicas: readonly Pick<Replica, 'name' | 'state' | 'spec' | 'runtime' | 'instance'>[],
  failed: StartFailure | undefined,
  lines: number,
): Promise<ReplicaOutput[]> {
  const told = await Promise.all(
    replicas.map(async (replica): Promise<ReplicaOutput[]> => {
      const { name, state, instance } = replica;
      if (instance === undefined) return [];
      return [{ replica: name, state, lines: await lastOutput(context, replica, instance.id, lines) }];
    }),
  );
  const running = told.flat();
  if (running.length > 0 || failed === undefined) return running;
  return [{ replica: failed.replica, state: 'failed', lines: failed.output.slice(-lines) }];
}
