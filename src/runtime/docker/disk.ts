import type Docker from 'dockerode';
import type { DiskUsage } from '../../model/costs.ts';
import { atMost } from '../../util/at-most.ts';
import { type DockerEngine, limits } from '../engine.ts';
import { statusOf } from '../engine-errors.ts';

/** Images that the engine is asked for at once. */
const ASKED_AT_ONCE = 8;

/** The part of what the engine lists of an image that is read. */
interface ListedImage {
  Id: string;
  Size: number;
  /** Of layers that other images have too; -1 where the engine does not say. */
  SharedSize: number;
}

interface DiskApi {
  df(options: { abortSignal: AbortSignal }): Promise<{ Images: ListedImage[] | null }>;
}

/**
 * What images take of the disk: the engine keeps a layer once for all images that have it.
 * @param names images, in the order of the answer; undefined: there is none
 */
export async function imageDisk(
  engine: DockerEngine,
  names: readonly (string | undefined)[],
  signal: AbortSignal,
): Promise<(DiskUsage | undefined)[]> {
  const listed = await listImages(engine, signal);
  const byId = new Map(listed.map((image) => [image.Id, image]));
  const turn = atMost(ASKED_AT_ONCE);
  const asked = [...new Set(names)].map(async (name) => {
    return [name, name === undefined ? undefined : await turn(() => idOf(engine, name, signal))] as const;
  });
  const idByName = new Map(await Promise.all(asked));
  return names.map((name) => {
    const image = byId.get(idByName.get(name) ?? '');
    if (image === undefined || image.SharedSize < 0) return undefined;
    return { alone: Math.max(0, image.Size - image.SharedSize), shared: image.SharedSize };
  });
}

/** Engines before API 1.42 say what images share only together with all else that takes disk. */
async function listImages(engine: DockerEngine, signal: AbortSignal): Promise<ListedImage[]> {
  const options = { 'shared-size': true } as Docker.ListImagesOptions;
  const listed: ListedImage[] = await engine.call(limits.ask, signal, (docker, abortSignal) =>
    docker.listImages({ ...options, abortSignal }),
  );
  if (listed.some(({ SharedSize }) => SharedSize >= 0)) return listed;
  // Its types know no options, of which it takes the signal.
  const { Images } = await engine.call(limits.ask, signal, (docker, abortSignal) =>
    (docker as unknown as DiskApi).df({ abortSignal }),
  );
  return Images ?? [];
}

async function idOf(engine: DockerEngine, name: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const image = await engine.call(limits.ask, signal, (docker, abortSignal) =>
      docker.getImage(name).inspect({ abortSignal } as Docker.ImageInspectOptions),
    );
    return image.Id;
  } catch (thrown) {
    if (statusOf(thrown) === 404) return undefined;
    throw thrown;
  }
}
