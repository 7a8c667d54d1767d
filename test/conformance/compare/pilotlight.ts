import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEdge } from '../harness/edge.ts';
import { Origin } from '../harness/origin.ts';
import { LANES, type Subject } from './subject.ts';

/** Our own data plane, in this process. */
export async function startPilotlight(): Promise<Subject> {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../../package.json'), 'utf8'));
  const running = await Promise.all(
    Array.from({ length: LANES }, async () => {
      const origin = await Origin.open();
      return { origin, edge: await startEdge({ origins: [origin.port] }) };
    }),
  );
  return {
    name: 'Pilotlight',
    version,
    lanes: running.map(({ origin, edge }) => ({ origin, port: edge.port })),
    stop: async () => {
      for (const { origin, edge } of running) {
        await edge.close();
        await origin.close();
      }
    },
  };
}
