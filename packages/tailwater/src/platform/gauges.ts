import type { Jobs } from '@tailwater/jobs'
import type { Database } from '@tailwater/postgres'
import type { Telemetry } from '@tailwater/telemetry'

/** Shows telemetry what is read rather than told: how full the pool is, how many jobs wait. */
export function registerGauges(telemetry: Telemetry, database: Database, jobs: Jobs): void {
  telemetry.gauge(() => {
    const { open, idle, waiting } = database.stats().primary
    return { 'database.open': open, 'database.idle': idle, 'database.waiting': waiting }
  })
  telemetry.gauge(async () => {
    const { available, retryable, running } = await jobs.counts()
    return { 'jobs.waiting': available + retryable, 'jobs.running': running }
  })
}
