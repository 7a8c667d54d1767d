import { extname } from 'node:path';
import type { HostPort } from '../model/settings.ts';
import { hostPort } from '../util/host-port.ts';
import { DEFAULT_ADMIN_URL } from './admin-target.ts';

/** How this program is called: from a checkout, where it is not built, by npm. */
const PROGRAM = extname(import.meta.filename) === '.ts' ? 'npm run -s pilotlight --' : 'pilotlight';

/** What to try once the demo runs. */
export function demoBanner(proxy: HostPort, admin: HostPort): string {
  const origin = `http://${hostPort(proxy)}`;
  const adminUrl = `http://${hostPort(admin)}`;
  // At the default address a command finds the demo by itself.
  const named = adminUrl === DEFAULT_ADMIN_URL ? '' : ` --admin ${adminUrl}`;
  const rows: [string, string][] = [
    [`curl -i ${origin}/hello`, 'wakes hello, then again: warm'],
    [`curl -i ${origin}/echo -d 'any body'`, 'the body is held while echo starts'],
    [`npx autocannon -c 20 -d 30 ${origin}/slow`, 'latency rises, replicas are added'],
    [`${PROGRAM} status --watch${named}`, 'the services, every second'],
  ];
  const width = Math.max(...rows.map(([command]) => command.length));
  return [
    `Pilotlight demo: proxy on ${origin}, admin on ${adminUrl}`,
    '',
    'Nothing runs yet. In another terminal try:',
    '',
    ...rows.map(([command, what]) => `  ${command.padEnd(width)}   ${what}`),
    '',
    'Leave it alone and watch the services fall asleep again. Ctrl-C ends the demo.',
    '',
  ].join('\n');
}
