import { randomBytes } from 'node:crypto'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createEmbeddedPostgres } from '../embedded/index.ts'
import { findNativePackage } from '../embedded/native_package.ts'
import { programVersion } from '../embedded/program.ts'
import { projectCache } from './project_cache.ts'

/**
 * A stopped data folder, made once per version and copied for each private server: a copy takes a tenth of the time
 * of initdb, and hardly any of the processor's.
 */
export async function templateFolder(): Promise<string> {
  const version = await programVersion(findNativePackage(undefined).postgres, undefined)
  const template = join(projectCache(), `template-${version}`)
  if (!existsSync(template)) await makeTemplate(template)
  return join(template, 'pgdata')
}

async function makeTemplate(template: string): Promise<void> {
  const draft = `${template}-${process.pid}-${randomBytes(4).toString('hex')}`
  const postgres = createEmbeddedPostgres({ dataDir: draft })
  try {
    await postgres.start()
    await postgres.stop()
    renameSync(draft, template)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    // Another test was faster.
    if (!existsSync(template)) throw error
  }
}
