import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '@tailwater/postgres'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The jobs package as a next version would have it: in a folder of its own, beside the one there is. */
export interface NextVersion {
  /** The folder of its sources. */
  source: string
  remove(): void
}

/** Names of functions in the database: they carry the number of their version. */
const FUNCTION = /\b(jobs_\w+_v\d+)\b/g

/** A change that any next version may make, and how many places of the sources it finds. */
interface Change {
  folder: string
  from: RegExp
  to: string
  atLeast: number
}

const changes: readonly Change[] = [
  // Every script is another one to the server, under another name.
  { folder: 'backends/redis/scripts', from: /version: \d+,/g, to: 'version: 99,', atLeast: 20 },
  // Every job carries something that the version before has not heard of.
  {
    folder: 'backends/redis',
    from: /^ {4}return ''$/gm,
    to: '    return \'[null,null,null,null,null,0,"new"]\'',
    atLeast: 1,
  },
  { folder: 'backends/redis', from: /rest\.push\(1\)/g, to: "rest.push(1, 'new')", atLeast: 1 },
  // Every function of the database is another one.
  { folder: 'backends/postgres', from: FUNCTION, to: '$1_next', atLeast: 15 },
]

/** Copies the sources of the jobs package, and makes of them a next version. */
export function makeNextVersion(): NextVersion {
  mkdirSync(join(root, '.cache'), { recursive: true })
  // Within the project, so that what the sources import is found.
  const folder = mkdtempSync(join(root, '.cache', 'next-version-'))
  const source = join(folder, 'src')
  cpSync(join(root, 'packages/jobs/src'), source, { recursive: true })
  for (const { folder: place, from, to, atLeast } of changes) {
    let found = 0
    for (const file of filesOf(join(source, place))) {
      const text = readFileSync(file, 'utf8')
      const count = text.match(from)?.length ?? 0
      if (count > 0) writeFileSync(file, text.replace(from, to))
      found += count
    }
    if (found < atLeast) throw new Error(`the sources have ${found} places of ${from}: the next version is none`)
  }
  return { source, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Files of a folder, and of those below it but for the migrations: what was published of them stays as it is. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === 'migrations' ? [] : filesOf(join(folder, entry.name))
    return [join(folder, entry.name)]
  })
}

/** Migrates as a next version would: its functions stand beside those that there are, and a table has a column more. */
export async function migrateToNext(url: string, schema: string): Promise<void> {
  const database = createDatabase({ url, min: 0, max: 2 })
  await database.start()
  try {
    const { rows } = await database.query<{ text: string }>(
      `SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE pronamespace = $1::regnamespace AND proname ~ '^jobs_\\w+_v\\d+$'
       ORDER BY prolang = (SELECT oid FROM pg_language WHERE lanname = 'sql'), oid`,
      [schema],
    )
    for (const { text } of rows) await database.query(text.replaceAll(FUNCTION, '$1_next'))
    for (const table of ['jobs_live', 'jobs_ended'])
      await database.query(`ALTER TABLE ${schema}.${table} ADD COLUMN only_next_knows text NOT NULL DEFAULT 'new'`)
  } finally {
    await database.stop()
  }
}
