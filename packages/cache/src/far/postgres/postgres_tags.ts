import type { Queryable } from '@tailwater/postgres'
import type { FarTags } from '../far_backend.ts'
import type { CacheStatements } from './statements.ts'

interface NumberRow {
  /** Null in the row of the counter. */
  name: string | null
  number: number
}

/** Tags in a table, and their counter in a row of another. */
export function createPostgresTags(database: Queryable, sql: CacheStatements): FarTags {
  /** Numbers by name; the counter by null. */
  async function ask(statement: 'numbers' | 'name', values: readonly unknown[]): Promise<Map<string | null, number>> {
    const { rows } = await database.query<NumberRow>(sql[statement], values)
    return new Map(rows.map(({ name, number }) => [name, number]))
  }

  return {
    async numbers(tags, floor) {
      if (tags.length === 0) return []
      const names = [...new Set(tags)]
      let known = await ask('numbers', [names])
      // Mostly all are there; only the rest costs a write.
      if (known.size <= names.length || known.get(null)! < floor) known = await ask('name', [names, floor])
      return tags.map((tag) => known.get(tag)!)
    },
    async invalidate(tags) {
      const { rows } = await database.query<NumberRow>(sql.invalidateTags, [[...new Set(tags)]])
      return rows[0]!.number
    },
    async now() {
      const present = (await ask('numbers', [[]])).get(null)
      return present ?? (await ask('name', [[], 0])).get(null)!
    },
  }
}
