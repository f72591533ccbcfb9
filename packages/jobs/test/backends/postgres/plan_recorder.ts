import { createDatabase, type Database } from '@tailwater/postgres'
import pg from 'pg'

/** A node of a plan that was executed. */
interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Join Filter'?: number
  Plans?: PlanNode[]
}

/** A database on one connection whose server explains every statement after it has run, those within functions too. */
export interface PlanRecorder {
  database: Database
  /** Scans since the last call that read all of one of `tables`, or more than `most` rows of anything. */
  faults(tables: ReadonlySet<string>, most: number): string[]
  close(): Promise<void>
}

const SETTINGS = [
  'session_preload_libraries=auto_explain',
  'auto_explain.log_min_duration=0',
  'auto_explain.log_nested_statements=on',
  'auto_explain.log_analyze=on',
  'auto_explain.log_timing=off',
  'auto_explain.log_format=json',
  'auto_explain.log_parameter_max_length=0',
  'client_min_messages=log',
  'track_functions=all',
]

/** Needs a superuser, and auto_explain, which comes with the server. */
export async function recordPlans(url: string): Promise<PlanRecorder> {
  const options = SETTINGS.map((setting) => `-c ${setting}`).join(' ')
  const pool = new pg.Pool({ connectionString: url, max: 1, options })
  const plans: { text: string; root: PlanNode }[] = []
  pool.on('connect', (client) => {
    client.on('notice', ({ message }) => {
      const at = message?.indexOf('plan:\n') ?? -1
      if (at < 0) return
      const plan = JSON.parse(message!.slice(at + 6)) as { 'Query Text': string; Plan: PlanNode }
      plans.push({ text: plan['Query Text'], root: plan.Plan })
    })
  })
  const database = createDatabase({ pool, max: 1 })
  await database.start()
  return {
    database,
    faults(tables, most) {
      const found = plans.flatMap(({ text, root }) =>
        nodesOf(root).flatMap((node) => faultOf(node, text, tables, most)),
      )
      plans.length = 0
      return found
    },
    async close() {
      await database.stop()
      await pool.end()
    },
  }
}

function faultOf(node: PlanNode, text: string, tables: ReadonlySet<string>, most: number): string[] {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Join Filter'] ?? 0)
  const rows = (node['Actual Rows'] + removed) * node['Actual Loops']
  const isWhole =
    node['Node Type'] === 'Seq Scan' && tables.has(node['Relation Name'] ?? '') && node['Actual Loops'] > 0
  if (!isWhole && rows <= most) return []
  const place = node['Index Name'] ?? node['Relation Name'] ?? ''
  return [`${node['Node Type']} ${place} of ${rows} rows: ${text.replace(/\s+/g, ' ')}`]
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}
