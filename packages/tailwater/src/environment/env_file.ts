import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { hasCode } from '@tailwater/core'
import { readEnvironment } from './read_environment.ts'
import type { Environment } from './variables.ts'

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

/**
 * The settings of this process: its environment, and beneath it a `.env` file in `folder`.
 *
 * @throws E_OPTIONS naming the variable and what it must be
 */
export function loadEnvironment(folder: string): Environment {
  return readEnvironment(withEnvFile(folder, process.env))
}
