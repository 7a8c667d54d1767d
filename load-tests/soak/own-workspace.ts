import { rm } from 'node:fs/promises';
import { killMarked } from '../../test/support/marked-processes.ts';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';

/** No engine answers here: what runs in a soak are processes. */
const NO_DOCKER = '/dev/null';

/** Works in a workspace of its own, of which neither files nor processes are left when this settles. */
export async function inOwnWorkspace<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
  const workspace = await makeWorkspace(NO_DOCKER);
  try {
    return await work(workspace);
  } finally {
    killMarked(workspace.mark);
    await rm(workspace.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
