/** How a tenant behaves. */
export type Manner = 'steady' | 'burst' | 'slow' | 'failing'

/** One of those who share a queue. */
export interface Tenant {
  name: string
  manner: Manner
  /** Milliseconds of one of its jobs. */
  ms: number
  /** Jobs that it enqueues at once, and milliseconds between two times. */
  count: number
  every: number
}

/** A job of the storm. */
export interface StormJob {
  manner: Manner
  ms: number
}

/** Attempts of each job: a failing one takes them all. */
export const ATTEMPTS = 3

/**
 * Who shares the queue: eight who enqueue a little all the time, and do nobody any harm; one who enqueues thousands at once; two whose jobs take half a second; two whose
 * jobs fail in every attempt.
 */
export function stormTenants(burst: number): Tenant[] {
  const of = (manner: Manner, many: number, jobs: Omit<Tenant, 'name' | 'manner'>): Tenant[] =>
    Array.from({ length: many }, (_, at) => ({ name: `${manner}-${at + 1}`, manner, ...jobs }))
  return [
    ...of('steady', 8, { ms: 1, count: 4, every: 200 }),
    ...of('burst', 1, { ms: 1, count: burst, every: 5_000 }),
    ...of('slow', 2, { ms: 500, count: 20, every: 500 }),
    ...of('failing', 2, { ms: 1, count: 10, every: 200 }),
  ]
}
