import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServicePolicy } from '../../../src/model/snapshot.ts';
import { startEdge } from '../harness/edge.ts';
import { Origin } from '../harness/origin.ts';
import { LANES, OURS, type Subject } from './subject.ts';

/** Our own data plane in this process: its own engine, or the one for compatibility. */
export async function startPilotlight(engine: ServicePolicy['engine']): Promise<Subject> {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../../package.json'), 'utf8'));
  const running = await Promise.all(
    Array.from({ length: LANES }, async () => {
      const origin = await Origin.open();
      return { origin, edge: await startEdge({ origins: [origin.port], policy: { engine } }) };
    }),
  );
  return {
    name: engine === 'native' ? OURS : `engine: ${engine}`,
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
