import { notice, type TailwaterError } from '@tailwater/core'
import type { QueryResult } from '../queryable.ts'
import { databaseError } from './failure.ts'
import { type ResolvedDatabaseOptions, sessionsOf } from './options.ts'

/** What a server grants, asked once at start. */
export interface ServerLimits {
  /** Connections for ordinary users: max_connections less those reserved. */
  available: number
  /** Connections open now, ours too. */
  used: number
  inRecovery: boolean
}

/** Connections that this process may open. */
export interface Allowance {
  max: number
  min: number
  /** Of each replica. */
  replicaMax: number
  sessions: number
}

/** Asks for a server's limits: a few rows of settings and one of statistics per database. */
export const LIMITS_TEXT = `
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - coalesce(current_setting('reserved_connections', true), '0')::int AS available,
       (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database) AS used,
       pg_is_in_recovery() AS in_recovery`

/** The answer to `LIMITS_TEXT`. */
export function readLimits({ rows }: QueryResult<Record<string, unknown>>): ServerLimits {
  const row = rows[0]!
  return { available: Number(row['available']), used: Number(row['used']), inRecovery: row['in_recovery'] === true }
}

/** What the options allow, before the server has been asked. */
export function allowanceOf({ max, min, budget, replicas }: ResolvedDatabaseOptions): Allowance {
  return { max, min, replicaMax: max, sessions: budget - max * (1 + replicas.length) }
}

/**
 * What remains when the server has been asked.
 *
 * A budget is a promise somebody has made, so one that the server cannot keep is refused. Maxima that nobody has weighed
 * against this server are lowered to what it grants, aloud.
 *
 * @throws E_CONNECTION_BUDGET
 */
export function fitToServer(options: ResolvedDatabaseOptions, limits: ServerLimits, where: string): Allowance {
  const wanted = allowanceOf(options)
  const share = wanted.max + wanted.sessions
  if (share <= limits.available) return wanted
  if (options.explicitBudget) throw overBudget(options, wanted, limits, where)
  const sessions = Math.min(wanted.sessions, sessionsOf(limits.available))
  const max = Math.max(1, limits.available - sessions)
  return { max, min: Math.min(wanted.min, max), replicaMax: wanted.replicaMax, sessions }
}

function overBudget(
  { budget }: ResolvedDatabaseOptions,
  { max, sessions }: Allowance,
  { available }: ServerLimits,
  where: string,
): TailwaterError {
  const message = `the budget of ${budget} connections puts ${max + sessions} (pool ${max}, sessions ${sessions}) on ${where}, which grants ${available}: lower budget, or raise max_connections there`
  return databaseError('E_CONNECTION_BUDGET', message, { budget, max, sessions, available })
}

/** Says what may be opened, and warns of what may not fit. */
export function announce(
  options: ResolvedDatabaseOptions,
  allowance: Allowance,
  limits: ServerLimits | undefined,
  where: string,
): void {
  if (!notice.hasSubscribers) return
  const { max, min, replicaMax, sessions } = allowance
  const replicas = options.replicas.length
  const total = max + sessions + replicaMax * replicas
  const onReplicas = replicas > 0 ? `, replicas ${replicaMax * replicas}` : ''
  const granted = limits
    ? ` ${where} grants ${limits.available}, ${limits.used} are open.`
    : ` What ${where} grants is not known: a pooler or your own pool stands before it.`
  const message = `at most ${total} connections: pool ${max} (${min} kept warm)${onReplicas}, sessions ${sessions}.${granted}`
  const fields = {
    total,
    max,
    min,
    replicas: replicaMax * replicas,
    sessions,
    available: limits?.available,
    used: limits?.used,
  }
  notice.publish({ source: options.name, level: 'info', message, fields })
  if (limits) warn(options, allowance, limits, where)
}

function warn(
  { name, max: asked, explicitMax }: ResolvedDatabaseOptions,
  { max, sessions }: Allowance,
  limits: ServerLimits,
  where: string,
): void {
  const share = max + sessions
  const say = (message: string) => notice.publish({ source: name, level: 'warn', message })
  if (explicitMax && max < asked)
    say(`max ${asked} was lowered to ${max}: ${where} grants ${limits.available} connections`)
  const free = limits.available - limits.used
  if (free < share)
    say(
      `${where} has ${free} connections free of ${limits.available}, and this process may open ${share}: lower budget in each process, or raise max_connections there`,
    )
  if (limits.inRecovery) say(`${where} is a replica: writes will fail; point url to the primary`)
}
