import assert from 'node:assert/strict'
import type { Queryable } from '@tailwater/postgres'

/** Resolves when `isTrue` does; the test's own limit ends a wait in vain. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** Resolves when a backend other than the asking one runs, or waits in, a statement that contains `text`. */
export function untilRuns(on: Queryable, text: string): Promise<void> {
  return until(async () => (await countRunning(on, text)) > 0)
}

/** Backends that run a statement that contains `text`. */
export async function countRunning(on: Queryable, text: string): Promise<number> {
  const { rows } = await on.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND position($1 in query) > 0",
    [text],
  )
  return rows[0]!.n
}

/** What `failing` fails with. */
export async function failureOf(failing: Promise<unknown>): Promise<Failure> {
  try {
    await failing
  } catch (error) {
    assert.ok(error instanceof Error)
    return error as Failure
  }
  return assert.fail('it did not fail')
}

interface Failure extends Error {
  code?: string
  details: Record<string, unknown>
}
