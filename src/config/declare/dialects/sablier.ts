import type { Enabled } from '../own-labels.ts';
import type { Dialect, DialectRow } from './dialect.ts';

const ROWS: readonly DialectRow[] = [
  { written: 'sablier.enable', fate: 'understood', becomes: '`true` declares the service: it sleeps when it is idle' },
  { written: 'sablier.group', fate: 'understood', becomes: '`group`, `default` where there is none' },
  { written: 'any other label', fate: 'left out', becomes: 'it is said' },
];

/** The labels of Sablier: routes come from elsewhere, such as labels of Traefik. */
export const sablier: Dialect = {
  name: 'sablier',
  rows: ROWS,
  owns: (label) => label.startsWith('sablier.'),
  read(labels, draft): Enabled {
    if (labels['sablier.enable'] !== 'true') return undefined;
    const label = labels['sablier.group'] === undefined ? 'sablier.enable' : 'sablier.group';
    draft.setOnce(label, ['group'], labels['sablier.group'] ?? 'default', true);
    for (const other of Object.keys(labels).filter(sablier.owns)) {
      if (other !== 'sablier.enable' && other !== 'sablier.group')
        draft.remark(other, 'is not understood and left out');
    }
    return true;
  },
};
