import { expect, test } from 'vitest';
import { mountsOf } from '../../../src/runtime/docker/mounts.ts';

const bind = { Type: 'bind', Source: '/srv/data', Target: '/data' };
const volume = { Type: 'volume', Source: 'named', Target: '/data' };

test.each([
  ['/srv/data:/data', bind],
  ['/srv/data:/data:ro', { ...bind, ReadOnly: true }],
  ['/srv/data:/data:rw,rslave', { ...bind, BindOptions: { Propagation: 'rslave' } }],
  ['/srv/data:/data:cached,ro', { ...bind, ReadOnly: true }],
  ['named:/data', volume],
  ['named:/data:ro,nocopy', { ...volume, ReadOnly: true, VolumeOptions: { NoCopy: true } }],
])('%s is a mount, of which the engine makes no empty folder', (text, mount) => {
  expect(mountsOf([text])).toEqual({ Mounts: [mount], Binds: [] });
});

test.each(['/srv/data:/data:Z', '/srv/data:/data:ro,z', '/srv/data:/data:nocopy', 'named:/data:shared'])(
  'what a mount cannot say stays as it is: %s',
  (text) => {
    expect(mountsOf([text])).toEqual({ Mounts: [], Binds: [text] });
  },
);
