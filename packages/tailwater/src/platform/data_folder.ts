import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { hasCode, TailwaterError, toError } from '@tailwater/core'

/** Makes the data folder, or finds that nothing can be kept there. @throws E_DATA_DIR */
export function openDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new TailwaterError(
      'E_DATA_DIR',
      `the data folder ${folder} cannot be written to (${toError(cause).message.split(',')[0]}): make it writable, or set DATA_DIR to another folder`,
      {
        folder,
        cause,
      },
    )
  }
}

/**
 * The secret kept in the data folder, made at the first start.
 *
 * Not for production with a server of one's own: several machines must be given the same secret.
 */
export function keptSecret(folder: string): string {
  const path = join(folder, 'secret')
  if (!existsSync(path)) makeSecret(path)
  chmodSync(path, 0o600)
  return readFileSync(path, 'utf8').trim()
}

/** Two processes may start together: the secret appears whole, and only if there is none. */
function makeSecret(path: string): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, randomBytes(32).toString('hex'), { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    rmSync(draft)
  }
}
