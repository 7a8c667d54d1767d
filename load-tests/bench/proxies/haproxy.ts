import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../test/support/free-port.ts';
import { startPinned, untilListening } from '../../support/process.ts';
import { GROUP, type Ground, SUITE, type Subject, subject } from './subject.ts';

/** HAProxy with one thread. Of TLS it gives out session tickets by itself. */
export async function startHaproxy({ folder, core, upstream, speech, certificate }: Ground): Promise<Subject> {
  const port = await freePort();
  const config = join(folder, 'haproxy.cfg');
  const tls = `ssl crt ${certificate} alpn h2,http/1.1 ssl-min-ver TLSv1.3 ciphersuites ${SUITE} curves ${GROUP}`;
  await writeFile(
    config,
    `global
  nbthread 1
  maxconn 4000
defaults
  ${speech === 'tcp' ? 'mode tcp' : 'mode http\n  http-reuse always'}
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:${port} backlog 4096 ${speech === 'tls' ? tls : ''}
  default_backend app
backend app
  server app 127.0.0.1:${upstream}
`,
  );
  const { pid } = startPinned(core, ['haproxy', '-db', '-f', config]);
  await untilListening(port);
  return subject('haproxy', port, pid);
}
