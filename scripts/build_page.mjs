// Builds the dashboard's page when a source of it is newer than what was built.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fail, pinnedNode, root } from './set_up.mjs'

const web = join(root, 'packages', 'dashboard', 'web')
const built = join(root, 'packages', 'dashboard', 'dist-web', 'index.html')

function newestChange(folder) {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)
  return newest
}

/** Builds the page unless it is up to date. */
export function ensurePage() {
  if (existsSync(built) && statSync(built).mtimeMs > newestChange(web)) return
  console.log('Building the dashboard …')
  const vite = [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', web, '--logLevel', 'warn']
  const { status, stderr, stdout } = spawnSync(pinnedNode(), vite, { cwd: root, encoding: 'utf8' })
  if (status !== 0) fail(`the dashboard could not be built:\n${stderr || stdout}`)
}
