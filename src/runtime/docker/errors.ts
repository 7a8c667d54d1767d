import type { PilotlightError } from '../../model/errors.ts';

/** Whether a start failed because the engine has no init program to put before the app. */
export function isInitMissing(error: PilotlightError): boolean {
  return /docker-init|init-path|init binary/i.test(error.message);
}

/** Whether a container cannot start because it, or a network it was created for, is there no more. */
export function isPositionGone(error: PilotlightError): boolean {
  return error.code === 'CONTAINER_MISSING' || /\bnetwork \S+ (was )?not found\b/i.test(error.message);
}
