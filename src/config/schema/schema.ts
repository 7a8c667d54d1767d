import { z } from 'zod';
import { abouts } from '../option/options.ts';
import {
  accessLogSchema,
  adminSchema,
  budgetSchema,
  consulSchema,
  dockerSchema,
  listenSchema,
  stateSchema,
  trustedProxiesSchema,
  workersSchema,
} from './proxy.ts';
import { defaultsSchema, serviceSchema } from './service.ts';

/** Name of a service. */
export const serviceName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a service name is a-z, 0-9 and "-", at most 63 characters, not "-" first');

const servicesSchema = z.record(serviceName, serviceSchema);
abouts.add(servicesSchema, { about: 'The services, by name.', required: true });

/**
 * A whole file. Every option carries its kind, unit, default and meaning: the JSON Schema, the reference and the
 * messages come from here.
 */
export const configSchema = z.strictObject({
  listen: listenSchema,
  trustedProxies: trustedProxiesSchema,
  accessLog: accessLogSchema,
  admin: adminSchema,
  workers: workersSchema,
  state: stateSchema,
  consul: consulSchema,
  docker: dockerSchema,
  budget: budgetSchema,
  defaults: defaultsSchema,
  services: servicesSchema,
});

/** A whole file, its texts turned into values. */
export type Config = z.output<typeof configSchema>;
/** One service of it. */
export type ServiceConfig = Config['services'][string];
