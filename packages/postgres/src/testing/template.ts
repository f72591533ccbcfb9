import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createEmbeddedPostgres } from '../embedded/index.ts'
import { findNativePackage } from '../embedded/native_package.ts'
import { programVersion } from '../embedded/program.ts'
import { chooseServerUser } from '../embedded/server_user.ts'
import { copyTree } from './copy_tree.ts'
import { makePrivateFolder, removePrivateFolder } from './private_folder.ts'
import { projectCache } from './project_cache.ts'

/**
 * A stopped data folder, made once per version and user, and copied for each private server: a copy takes a tenth of the
 * time of initdb, and hardly any of the processor's.
 */
export async function templateFolder(): Promise<string> {
  const { postgres } = findNativePackage(undefined)
  const user = chooseServerUser(join(projectCache(), 'pgdata'), postgres)
  const version = await programVersion(postgres, user)
  const template = join(projectCache(), `data-${version}-${process.getuid?.() ?? 0}`)
  if (!existsSync(template)) await makeTemplate(template)
  return join(template, 'pgdata')
}

async function makeTemplate(template: string): Promise<void> {
  const draft = makePrivateFolder()
  const part = `${template}-${process.pid}-${randomBytes(4).toString('hex')}`
  try {
    const postgres = createEmbeddedPostgres({ dataDir: draft })
    await postgres.start()
    await postgres.stop()
    const pgdata = join(draft, 'pgdata')
    mkdirSync(part, { mode: 0o711 })
    // Without its port: copies that run side by side have one each.
    copyTree(pgdata, join(part, 'pgdata'), chooseServerUser(pgdata, pgdata), (path) => path !== 'tailwater.json')
    renameSync(part, template)
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    // Another test was faster.
    if (!existsSync(template)) throw error
  } finally {
    removePrivateFolder(draft)
  }
}
