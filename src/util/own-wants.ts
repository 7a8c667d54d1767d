import { NO_DESCRIPTOR } from './descriptors.ts';

/**
 * The codes with which connect(2) and socket(2) fail because this process or its machine lacks something, in words. They
 * say nothing about whom it wanted to connect to.
 */
export const OWN_WANTS: Readonly<Record<string, string>> = {
  ...NO_DESCRIPTOR,
  EADDRNOTAVAIL: 'no local port is left for the address, or the machine cannot send to it',
  EADDRINUSE: 'no local port is left for the address',
  ENOBUFS: 'the system has no buffers left',
  ENOMEM: 'the system has no memory left',
  EAGAIN: 'no local port is left, or no entry in the routing cache',
  EACCES: 'the system does not let this process connect',
  EPERM: 'the system, such as a firewall on this machine, does not let this process connect',
};

/** Whether a connect failed for a reason of this process's own. */
export function isOwnWant(code: string | undefined): code is string {
  return code !== undefined && Object.hasOwn(OWN_WANTS, code);
}
