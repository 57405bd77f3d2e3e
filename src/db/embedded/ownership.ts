import { chown, lchown, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Only the superuser can give files away. */
export function isSuperuser(): boolean {
  return process.geteuid?.() === 0;
}

/** The owner of a path, or undefined when there is nothing. */
export async function ownerOf(path: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Gives what the superuser made in somebody's folder to that person, so that the next start, without `sudo`, can use
 * it. Does nothing for anybody else. By path and without opening the file, so that a lock on it is kept.
 */
export async function giveToOwnerOf(folder: string, path: string): Promise<void> {
  if (!isSuperuser()) return;
  const { uid, gid } = await stat(folder);
  if ((await stat(path)).uid !== uid) await chown(path, uid, gid);
}

/**
 * Gives a whole folder to a user, unless it is theirs; symbolic links are given, not followed. The folder comes last:
 * while it still has its old owner, the work is not done and is taken up again.
 */
export async function giveTree(folder: string, owner: { uid: number; gid: number }): Promise<void> {
  if ((await stat(folder)).uid === owner.uid) return;
  const entries = await readdir(folder, { recursive: true });
  for (const path of [...entries.map((entry) => join(folder, entry)), folder]) {
    await lchown(path, owner.uid, owner.gid);
  }
}
