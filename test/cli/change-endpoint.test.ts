import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { fakeAdmin } from './fake-admin.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

const endpoint = {
  address: '10.0.0.5:8080',
  source: 'static',
  alsoListedBy: [],
  replica: null,
  state: 'out-of-use',
  reason: 'drained',
  weight: 3,
  backup: false,
  byHand: { drain: true, weight: 3 },
  maxConnections: 0,
  inFlight: 2,
};

async function say(...args: string[]) {
  const admin = await fakeAdmin(200, [endpoint]);
  const terminal = fakeTerminal();
  const exit = await runCli([...args, '--admin', admin.url], noProgram, terminal);
  return { exit, ...admin, terminal };
}

test('drain, undrain and weight ask for a change, and show what became of it', async () => {
  const { exit, asked, terminal } = await say('drain', 'shop', '10.0.0.5:8080');
  expect(exit).toBe(0);
  expect(asked).toEqual(['POST /v1/services/shop/endpoints/10.0.0.5%3A8080 -']);
  expect(terminal.stdout.join('\n')).toMatch(/10\.0\.0\.5:8080 +static +out of use: drained +3 \(by hand\) +– +2/);
  expect((await say('undrain', 'shop', 'unix:/run/a.sock')).asked).toEqual([
    'POST /v1/services/shop/endpoints/unix%3A%2Frun%2Fa.sock -',
  ]);
  expect((await say('weight', 'shop', '10.0.0.5:8080', '5')).exit).toBe(0);
  expect((await say('weight', 'shop', '10.0.0.5:8080', 'listed')).exit).toBe(0);
});

test('a weight that is none is wrong usage', async () => {
  for (const weight of ['-1', '65536', 'heavy', '1.5']) {
    const { exit, asked } = await say('weight', 'shop', '10.0.0.5:8080', '--', weight);
    expect([weight, exit, asked]).toEqual([weight, 2, []]);
  }
});

test('an address that is not there is one line and exit 1', async () => {
  const detail = 'shop has no endpoint 10.0.0.9:1: "pilotlight endpoints shop" lists them';
  const { url } = await fakeAdmin(404, { code: 'ENDPOINT_UNKNOWN', detail });
  const terminal = fakeTerminal();
  expect(await runCli(['drain', 'shop', '10.0.0.9:1', '--admin', url], noProgram, terminal)).toBe(1);
  expect(terminal.stderr).toEqual([`pilotlight: ${detail}`]);
});
