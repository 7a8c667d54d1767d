import { expect, test } from 'vitest';
import { pilotlight, place, serve } from './program.ts';

/** Has each process say at its end which parts of Node it has loaded. */
const TELLING = `process.on('exit', () => process.stderr.write('loaded ' + process.moduleLoadList + '\\n'))`;
const env = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(TELLING)}"` };

const told = (text: string) => text.split('\n').filter((line) => line.startsWith('loaded '));

test.each([1, 2])('no process loads undici, of which nothing here is used, with %i workers', async (workers) => {
  const nowhere = { routes: [{ path: '/' }], endpoints: { static: ['127.0.0.1:1'] } };
  const at = await place({ workers, services: { nowhere } });
  const program = await serve(at, [], { env });
  expect((await fetch(at.url)).status).toBe(502);
  const status = pilotlight(['status', '--admin', at.admin], { env });
  expect(await status.exit).toBe(0);
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  const all = [...told(status.stderr), ...told(program.stderr)];
  expect(all).toHaveLength(1 + (workers === 1 ? 1 : 1 + workers));
  expect(all.filter((line) => line.includes('NativeModule http,'))).toEqual(all);
  expect(all.filter((line) => line.includes('undici'))).toEqual([]);
});
