import {
  chownSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../embedded/errors.ts'
import type { ServerUser } from '../embedded/server_user.ts'

/**
 * Copies a folder that may be in use: what disappears meanwhile is left out, as a base backup allows.
 *
 * @param isWanted tells by a path relative to `from` what to take along
 */
export function copyTree(
  from: string,
  to: string,
  user: ServerUser | undefined,
  isWanted: (path: string) => boolean = () => true,
): void {
  copy('.')

  function copy(path: string): void {
    const stats = lstatSync(join(from, path), { throwIfNoEntry: false })
    if (!stats) return
    const target = join(to, path)
    if (stats.isDirectory()) {
      mkdirSync(target, { recursive: true, mode: 0o700 })
      for (const name of readdirSync(join(from, path))) if (isWanted(join(path, name))) copy(join(path, name))
    } else if (stats.isSymbolicLink()) symlinkSync(readlinkSync(join(from, path)), target)
    else if (!stats.isFile() || !copyFile(join(from, path), target)) return
    if (user && !stats.isSymbolicLink()) chownSync(target, user.uid, user.gid)
  }
}

function copyFile(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
