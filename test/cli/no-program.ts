import type { Program } from '../../src/cli/cli.ts';

/** For commands that neither boot a proxy nor decide anything. */
export const noProgram: Program = {
  start: () => Promise.reject(new Error('not to be started')),
  inspectCertificates: async () => ({ findings: [], certificates: [], orders: [] }),
  decide: () => {
    throw new Error('not to be asked');
  },
};
