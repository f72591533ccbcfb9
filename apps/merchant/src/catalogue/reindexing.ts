import type { Jobs, Kind, RunningJob } from '@tailwater/jobs'
import { type Database, statement } from '@tailwater/postgres'

/** Products that one statement looks at: short locks. */
const STEP = 1_000

/** The statements of the reindexing. */
export type ReindexingStatements = ReturnType<typeof reindexingStatements>

/** @param schema quoted and ready to interpolate */
export function reindexingStatements(schema: string) {
  const words = `setweight(to_tsvector('english', p.title), 'A') || setweight(to_tsvector('english', p.description), 'B')`
  return {
    /** products_pkey. Writing a row makes its words anew; those that are right stay untouched. */
    refresh: statement(
      'merchant_search_refresh',
      `WITH step AS MATERIALIZED (
         SELECT id FROM ${schema}.products WHERE id > $1::bigint ORDER BY id LIMIT ${STEP}
       ), refreshed AS (
         UPDATE ${schema}.products p SET title = p.title
         WHERE p.id = ANY (ARRAY(SELECT id FROM step)) AND p.search IS DISTINCT FROM (${words}) RETURNING p.id
       )
       SELECT (SELECT count(*)::int FROM step) AS seen, (SELECT count(*)::int FROM refreshed) AS refreshed,
              (SELECT max(id)::float8 FROM step) AS last`,
    ),
    /** products_pkey, backwards. */
    lastProduct: statement('merchant_search_last_product', `SELECT max(id)::float8 AS last FROM ${schema}.products`),
    /** What was written lately waits beside an index until somebody searches: put in before that. */
    tidy: statement(
      'merchant_search_tidy',
      `SELECT gin_clean_pending_list(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname || '.' || c.relname = ANY ($1::text[]) AND c.relkind = 'i'`,
    ),
  }
}

/** What reindexing is made of. */
export interface ReindexingParts {
  database: Database
  /** Name of the schema, unquoted. */
  schemaName: string
  statements: ReindexingStatements
}

interface Step {
  seen: number
  refreshed: number
  last: number | null
}

/**
 * The job that makes the words by which products are found anew, where they are not what title and description give: after an upgrade of PostgreSQL brought
 * other dictionaries, or a restore.
 *
 * In bites, from the first product to the last; interrupted it begins again, and passes quickly by what is right.
 */
export function defineReindexing(jobs: Jobs, parts: ReindexingParts): Kind<null> {
  return jobs.define<null>({
    kind: 'search-reindexing',
    queue: 'search',
    unique: { by: 'kind', for: 'until-done' },
    run: (job) => reindex(job, parts),
  })
}

async function reindex(job: RunningJob<null>, { database, schemaName, statements }: ReindexingParts) {
  const { signal } = job
  const found = await database.query<{ last: number | null }>(statements.lastProduct, [], { signal })
  const end = found.rows[0]?.last ?? 0
  let [seen, refreshed, at] = [0, 0, 0]
  while (at < end) {
    const { rows } = await database.query<Step>(statements.refresh, [at], { signal })
    const step = rows[0]!
    if (step.last === null) break
    at = step.last
    seen += step.seen
    refreshed += step.refreshed
    job.progress(Math.min(100, Math.round((100 * at) / end)))
  }
  const names = ['products_by_words', 'products_by_title_part'].map((name) => `${schemaName}.${name}`)
  await database.query(statements.tidy, [names], { signal })
  return { seen, refreshed }
}
