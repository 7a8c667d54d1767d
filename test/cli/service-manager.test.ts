import { expect, test } from 'vitest';
import { serviceManager } from '../../src/cli/service-manager.ts';
import { fakeTerminal } from './fake-terminal.ts';

test('started by nobody who wants to know, it runs nothing', async () => {
  const terminal = fakeTerminal({ env: { PATH: '/nonexistent' } });
  await serviceManager(terminal).ready();
  expect(terminal.stderr).toEqual([]);
});

test('where systemd cannot be told, that is said, and is no failure', async () => {
  const terminal = fakeTerminal({ env: { PATH: '/nonexistent', NOTIFY_SOCKET: '/nonexistent' } });
  await serviceManager(terminal).ready();
  expect(terminal.stderr).toEqual([
    'pilotlight: systemd is not told READY=1, which takes systemd-notify: it is not installed',
  ]);
});
