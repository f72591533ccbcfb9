import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TailwaterError, toError } from '@tailwater/core'
import type { TailwaterConfig } from '../config.ts'
import { configOfEnvironment } from '../environment/config_of_environment.ts'
import { withEnvFile } from '../environment/env_file.ts'
import { readEnvironment } from '../environment/read_environment.ts'

const FILES = ['tailwater.config.ts', 'tailwater.config.mjs', 'tailwater.config.js']

/**
 * The configuration of a folder: its configuration file, and over it what the environment and `.env` say.
 *
 * @throws E_CONFIG_FILE, E_OPTIONS
 */
export async function loadConfig(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<TailwaterConfig> {
  const fromEnvironment = configOfEnvironment(readEnvironment(withEnvFile(folder, environment)), process.stdout.isTTY)
  const path = FILES.map((name) => join(folder, name)).find(existsSync)
  if (!path) return fromEnvironment
  const fromFile = await importConfig(path)
  return { ...fromEnvironment, ...fromFile, ...databaseOf(fromFile, fromEnvironment) }
}

/** A database named in the environment wins: it is what differs between machines. */
function databaseOf(file: TailwaterConfig, environment: TailwaterConfig): Pick<TailwaterConfig, 'database'> {
  const named = typeof environment.database === 'object' && environment.database.url !== undefined
  return named || !file.database ? { database: environment.database! } : { database: file.database }
}

async function importConfig(path: string): Promise<TailwaterConfig> {
  try {
    const module = (await import(pathToFileURL(path).href)) as { default?: TailwaterConfig }
    if (module.default && typeof module.default === 'object') return module.default
  } catch (cause) {
    throw new TailwaterError('E_CONFIG_FILE', `${path} cannot be read: ${toError(cause).message}`, { path, cause })
  }
  throw new TailwaterError('E_CONFIG_FILE', `${path} must export a configuration: export default defineConfig({ … })`, {
    path,
  })
}
