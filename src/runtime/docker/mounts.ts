import type Docker from 'dockerode';

const PROPAGATION = /^r?(private|shared|slave)$/;
/** Of old engines on other systems; means nothing anywhere now. */
const CONSISTENCY = /^(consistent|cached|delegated)$/;

/**
 * What `volumes` asks for, in the words of the create call. As a mount, a source that does not exist fails the start; as
 * a bind, the engine would make an empty folder of it that belongs to root. Only what a mount cannot say (the labels of
 * SELinux, `z` and `Z`) stays a bind.
 */
export function mountsOf(volumes: readonly string[]): { Mounts: Docker.MountConfig; Binds: string[] } {
  const mounts = volumes.map((volume) => mountOf(volume));
  return {
    Mounts: mounts.filter((mount) => mount !== undefined),
    Binds: volumes.filter((_, index) => mounts[index] === undefined),
  };
}

function mountOf(volume: string): Docker.MountSettings | undefined {
  const [Source = '', Target = '', text = ''] = volume.split(':');
  const mount: Docker.MountSettings = { Type: Source.startsWith('/') ? 'bind' : 'volume', Source, Target };
  for (const option of text.split(',').filter((word) => word !== '' && word !== 'rw')) {
    if (option === 'ro') mount.ReadOnly = true;
    else if (option === 'nocopy' && mount.Type === 'volume')
      mount.VolumeOptions = { NoCopy: true } as Docker.MountSettings['VolumeOptions'];
    else if (PROPAGATION.test(option) && mount.Type === 'bind')
      mount.BindOptions = { Propagation: option as Docker.MountPropagation };
    else if (!CONSISTENCY.test(option)) return undefined;
  }
  return mount;
}
