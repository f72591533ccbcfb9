import { randomBytes } from 'node:crypto'
import type { Queryable } from '@tailwater/postgres'
import type { FarEntries, FarReading, FarWrite } from '../far_backend.ts'
import { roundsOf } from './rounds.ts'
import { type CacheStatements, NOTHING } from './statements.ts'

interface ReadRow {
  /** Null in the row that tells the generation. */
  key: string | null
  version: string
  envelope: Buffer | null
}

/** Entries in a table: each method is one statement, but for writes to one key in one call. */
export function createPostgresEntries(database: Queryable, sql: CacheStatements): FarEntries {
  const own = randomBytes(8).toString('base64url')
  let count = 0
  const nextVersion = (kind: 'e' | 't') => `${kind}${own}${(count++).toString(36)}`

  async function read(keys: readonly string[]): Promise<FarReading[]> {
    for (;;) {
      const { rows } = await database.query<ReadRow>(sql.read, [keys])
      const found = new Map(rows.map((row) => [row.key, row]))
      const state = found.get(null)
      const readings = keys.map((key): FarReading | undefined => {
        const row = found.get(key)
        if (row) return { version: row.version, envelope: row.envelope ?? undefined }
        return state && { version: NOTHING + state.version, envelope: undefined }
      })
      if (readings.every((reading) => reading !== undefined)) return readings
      // The first reading of all, or since the tables were lost: nothing has no generation yet.
      await database.query(sql.begin)
    }
  }

  /** @param writes each to another key */
  async function writeApart(writes: readonly FarWrite[]): Promise<boolean[]> {
    const versions = writes.map(() => nextVersion('e'))
    let end = 0
    const starts = writes.map(({ envelope }) => {
      const start = end + 1
      end += envelope.length
      return start
    })
    const { rows } = await database.query<{ key: string; version: string }>(sql.write, [
      writes.map(({ key }) => key),
      versions,
      writes.map(({ expected }) => expected ?? null),
      writes.map(({ lease }) => lease ?? null),
      starts,
      writes.map(({ envelope }) => envelope.length),
      // One parameter goes over the wire as it is; in an array every byte would take two.
      writes.length === 1 ? writes[0]!.envelope : Buffer.concat(writes.map(({ envelope }) => envelope)),
      writes.map(({ ttl }) => ttl),
    ])
    const present = new Map(rows.map(({ key, version }) => [key, version]))
    return writes.map(({ key }, index) => present.get(key) === versions[index])
  }

  return {
    read: async (keys) => (keys.length === 0 ? [] : read(keys)),
    async write(writes) {
      const stored = new Array<boolean>(writes.length)
      for (const round of roundsOf(writes)) {
        const outcomes = await writeApart(round.map((index) => writes[index]!))
        for (const [position, index] of round.entries()) stored[index] = outcomes[position]!
      }
      return stored
    },
    async invalidate(keys) {
      if (keys.length > 0) await database.query(sql.invalidate, [[...new Set(keys)], nextVersion('t')])
    },
    async touch(key, version, ttl) {
      const { rows } = await database.query(sql.touch, [key, version, ttl])
      return rows.length > 0
    },
  }
}
