import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TailwaterError, toError } from '@tailwater/core'
import type { DatabaseConfig, TailwaterConfig } from '../config.ts'
import { configOfEnvironment } from '../environment/config_of_environment.ts'
import { withEnvFile } from '../environment/env_file.ts'
import { readEnvironment } from '../environment/read_environment.ts'

const FILES = ['tailwater.config.ts', 'tailwater.config.mjs', 'tailwater.config.js']

/**
 * The configuration of a folder: its configuration file, and over it what the environment and `.env` name.
 *
 * @throws E_CONFIG_FILE, E_OPTIONS
 */
export async function loadConfig(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<TailwaterConfig> {
  const variables = withEnvFile(folder, environment)
  const settings = readEnvironment(variables)
  const withDefaults = configOfEnvironment(settings, process.stdout.isTTY === true)
  const path = FILES.map((name) => join(folder, name)).find(existsSync)
  if (!path) return withDefaults
  const named = Object.fromEntries(Object.entries(settings).filter(([name]) => variables[name]?.trim()))
  return layered(layered(withDefaults, await importConfig(path)), configOfEnvironment(named))
}

/** One configuration over another. A database that is named brings none of the other's further addresses along. */
function layered(below: TailwaterConfig, above: TailwaterConfig): TailwaterConfig {
  const { directUrl, replicaUrl, ...rest } = databaseOf(below)
  const database = databaseOf(above)
  return {
    ...below,
    ...above,
    database: { ...(database.url ? rest : databaseOf(below)), ...database },
    cache: { ...below.cache, ...above.cache },
    jobs: { ...below.jobs, ...above.jobs },
    mail: { ...below.mail, ...above.mail },
    log: { ...below.log, ...above.log },
    administrator: { ...below.administrator, ...above.administrator },
  }
}

const databaseOf = ({ database = {} }: TailwaterConfig): DatabaseConfig =>
  typeof database === 'string' ? { url: database } : database

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
