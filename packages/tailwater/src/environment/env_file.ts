import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { hasCode } from '@tailwater/core'

/** Variables of a `.env` file in `folder`, beneath those of the process, which win; without the file, those of the process alone. */
export function withEnvFile(
  folder: string,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  try {
    return { ...parseEnv(readFileSync(`${folder}/.env`, 'utf8')), ...own }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { ...own }
    throw error
  }
}
