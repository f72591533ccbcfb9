import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { createTestSchema } from '@tailwater/postgres/testing'
import { createTailwater, type Tailwater, type TailwaterConfig } from 'tailwater'

/** Of the first administrator on every test platform. */
export const ADMINISTRATOR = { email: 'admin@example.com', password: 'a long sentence is a good password' }

/** A folder of the test's own, taken away after it. */
export function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-platform-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A platform on a fresh schema of the test server, not started yet; stopped after the tests. */
export async function openPlatform(config: TailwaterConfig = {}): Promise<Tailwater> {
  const ground = await createTestSchema()
  let tw: Tailwater | undefined
  // Before it is built: a configuration that is refused must not leave the schema's connections open.
  after(async () => {
    await tw?.stop(tw.clock.elapsed())
    await ground.close()
  })
  tw = await createTailwater({
    database: { url: ground.url, min: 0, max: 5 },
    schema: ground.schema,
    dataDir: dataFolder(),
    log: { level: 'silent' },
    administrator: ADMINISTRATOR,
    ...config,
  })
  return tw
}

/** Two processes of one application on one database, not started yet; stopped after the tests. */
export async function openPair(config: TailwaterConfig = {}): Promise<[Tailwater, Tailwater]> {
  const ground = await createTestSchema()
  const opened: Tailwater[] = []
  // Before anything is opened: what a failure leaves open would keep the file from ending.
  after(async () => {
    for (const tw of opened) await tw.stop(tw.clock.elapsed())
    await ground.close()
  })
  const open = () =>
    createTailwater({
      database: { url: ground.url, min: 0, max: 5 },
      schema: ground.schema,
      dataDir: dataFolder(),
      log: { level: 'silent' },
      secret: 'the same secret for both of the processes',
      ...config,
    })
  for (let process = 0; process < 2; process++) opened.push(await open())
  return [opened[0]!, opened[1]!]
}

/** The same, started. */
export async function openTwo(config: TailwaterConfig = {}): Promise<[Tailwater, Tailwater]> {
  const both = await openPair(config)
  for (const tw of both) await tw.start()
  return both
}

/** Asks until it is so: other processes hear of a change a moment later. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve))
}

/** A token of the administrator. */
export async function administratorToken(tw: Tailwater): Promise<string> {
  const user = await tw.accounts.verifyPassword(ADMINISTRATOR.email, ADMINISTRATOR.password)
  return (await tw.accounts.issueToken(user!)).token
}
