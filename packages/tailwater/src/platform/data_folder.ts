import { randomBytes } from 'node:crypto'
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TailwaterError, toError } from '@tailwater/core'

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
 * Only for the embedded default, where the data folder is the one thing there is: several machines must be given the same secret.
 */
export function keptSecret(folder: string): string {
  const path = join(folder, 'secret')
  if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' })
  chmodSync(path, 0o600)
  return readFileSync(path, 'utf8').trim()
}
