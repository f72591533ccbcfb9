import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createEmbeddedPostgres } from '../embedded/index.ts'

/** What marks the folder of a project, rather than of one package in it. */
const PROJECT_MARKS = ['.git', 'package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock']

let shared: Promise<string> | undefined

/**
 * The address of the server that tests share: that of TAILWATER_TEST_DATABASE_URL, or an embedded one in
 * `.cache/test-postgres` of the project.
 *
 * Every test file's process adopts the same embedded server; when the last of them ends, it is stopped.
 */
export function testServerUrl(): Promise<string> {
  shared ??= openTestServer()
  return shared
}

async function openTestServer(): Promise<string> {
  const given = process.env['TAILWATER_TEST_DATABASE_URL']
  if (given) return given
  const cache = join(projectFolder(process.cwd()), '.cache')
  mkdirSync(cache, { recursive: true })
  const postgres = createEmbeddedPostgres({ dataDir: join(cache, 'test-postgres'), maxConnections: 500 })
  await postgres.start()
  // When nothing is left to do the test is over. A process that is killed instead leaves the server to the next.
  process.once('beforeExit', () => void postgres.stop())
  return postgres.server.url
}

function projectFolder(start: string): string {
  for (let dir = start; dir !== dirname(dir); dir = dirname(dir))
    if (PROJECT_MARKS.some((mark) => existsSync(join(dir, mark)))) return dir
  return start
}
