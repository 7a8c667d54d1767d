import type { Uses } from '../schema/parts.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

/** Rules of the sections beside the services. */
export function checkSections({ sections, services }: Parsed, uses: Uses, report: Report): void {
  const { consul, include } = sections;
  for (const pattern of include === undefined ? [] : [include].flat()) {
    if (!pattern.replace(/[^/]*$/, '').includes('*')) continue;
    report.problem([['include']], 'expected "*" only in the name of the file, as in services.d/*.yaml');
  }
  const sound = consul !== undefined && !report.broken(['consul']);
  if (sound && consul.register !== false && consul.advertise === undefined) {
    report.problem(
      [['consul', 'register']],
      `${consul.register} needs consul.advertise: where others reach this machine`,
    );
  }
  const declares = sections.declare?.sources['consul'] !== undefined;
  const followed = declares || [...services.values()].some(({ endpoints }) => endpoints.consul !== undefined);
  if (uses.consul && consul?.register === false && !followed && sections.cluster?.name === undefined) {
    report.warning([['consul']], 'no service uses it, and nothing is registered');
  }
  sections.trustedProxies?.forEach((cidr, index) => {
    if (/\/0+$/.test(cidr)) report.warning([['trustedProxies', index]], 'believes the forwarding headers of everyone');
  });
  sections.listen?.forEach(({ proxyProtocol }, index) => {
    const nobody = sections.trustedProxies?.length === 0 && !report.broken(['trustedProxies']);
    if (proxyProtocol && nobody) {
      report.problem([['listen', index, 'proxyProtocol']], 'needs trustedProxies: nobody else may connect then');
    }
  });
  const declaring = Object.keys(sections.declare?.sources ?? {}).length > 0;
  if (services.size === 0 && !declaring && !report.broken(['services'])) {
    report.warning([['services']], 'no service: every request is answered with 404');
  }
}
