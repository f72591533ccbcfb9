import { join } from 'node:path'
import { createEmbeddedPostgres } from '../embedded/index.ts'
import { projectCache } from './project_cache.ts'

let shared: Promise<string> | undefined

/**
 * The address of the server that tests share: that of TAILWATER_TEST_DATABASE_URL, or an embedded one in
 * `.cache/test-postgres/shared` of the project.
 *
 * Every test file's process adopts the same embedded server; when the last of them ends, it is stopped. A process
 * that is killed leaves the server to the next.
 */
export function testServerUrl(): Promise<string> {
  shared ??= openTestServer()
  return shared
}

async function openTestServer(): Promise<string> {
  const given = process.env['TAILWATER_TEST_DATABASE_URL']
  if (given) return given
  const postgres = createEmbeddedPostgres({
    dataDir: join(projectCache(), 'shared'),
    maxConnections: 500,
    // A schema of a test is never needed again: its commits may wait. For durability there is `startTestPostgres`.
    settings: { synchronous_commit: 'off' },
  })
  await postgres.start()
  // Comes when nothing is left to do, which is when the test file is over.
  process.once('beforeExit', () => void postgres.stop())
  return postgres.server.adminUrl
}
