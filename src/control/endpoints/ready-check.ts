import type { ProbeRequest } from '../../model/link.ts';
import { probeHost } from '../../model/probe-host.ts';
import type { ServiceSettings } from '../../model/settings.ts';

/** The probe that shows a replica of the service ready. With a check of its own the runtime decides and a connect is enough. */
export function readyCheck(settings: ServiceSettings): ProbeRequest['check'] {
  const { ready } = settings;
  if (ready.kind === 'own-check') return { kind: 'connect' };
  if (ready.kind === 'tcp') {
    const { send = '', expect = '' } = ready;
    return send === '' && expect === '' ? { kind: 'connect' } : { kind: 'bytes', send, expect };
  }
  const { path, host, statusMin, statusMax } = ready;
  return { kind: 'http', path, hostHeader: host ?? probeHost(settings), statusMin, statusMax };
}
