import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../test/support/free-port.ts';
import { startPinned, untilListening } from '../../support/process.ts';
import { OWN_ROOT } from '../checkout.ts';
import { type Ground, SUITE, type Subject, subject } from './subject.ts';

/** Caddy; it chooses among the suites of TLS 1.3 by itself, and takes the same as all others. */
export async function startCaddy({ folder, core, upstream, speech, certificate }: Ground): Promise<Subject> {
  const port = await freePort();
  const config = join(folder, 'Caddyfile');
  const isSecure = speech === 'tls';
  await writeFile(
    config,
    `{
  admin off
  auto_https off
}
${isSecure ? 'https' : 'http'}://:${port} {
  bind 127.0.0.1
  ${isSecure ? `tls ${certificate} ${certificate} {\n    protocols tls1.3\n  }` : ''}
  reverse_proxy 127.0.0.1:${upstream} {
    transport http {
      keepalive_idle_conns_per_host 512
    }
  }
}
`,
  );
  const home = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const { pid } = startPinned(core, ['caddy', 'run', '--config', config, '--adapter', 'caddyfile'], home);
  await untilListening(port);
  return subject('caddy', port, pid);
}

export async function startHttpProxy({ core, upstream }: Ground): Promise<Subject> {
  const port = await freePort();
  const env = { PORT: String(port), TARGET: `http://127.0.0.1:${upstream}`, NODE_ENV: 'production' };
  const { pid } = startPinned(core, [process.execPath, join(OWN_ROOT, 'load-tests/servers/http-proxy.mjs')], env);
  await untilListening(port);
  return subject('http-proxy', port, pid);
}

/** The least that Node can end TLS with: what it takes beyond OpenSSL, no program on it can take less than. */
export async function startBareTls(name: string, { core, certificate }: Ground, target?: number): Promise<Subject> {
  const port = await freePort();
  const env = { PORT: String(port), CERT: certificate, SUITE, ...(target && { TARGET: String(target) }) };
  const file = join(OWN_ROOT, 'load-tests/servers/bare-tls.mjs');
  const { pid } = startPinned(core, [process.execPath, '--max-semi-space-size=4', file], env);
  await untilListening(port);
  return subject(name, port, pid);
}
