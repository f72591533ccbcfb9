import { problem } from '@tailwater/http'
import { Type } from 'typebox'
import { ScopeQuery } from '../accounts/caller.ts'

/** A day in a request; PostgreSQL has no year 0. */
const PeriodDay = (description: string) =>
  Type.Optional(Type.String({ format: 'date', pattern: '^(?!0000)', description, examples: ['2026-11-22'] }))

/** `?from=&to=&merchant=`: whose sales, and of which days. */
export const PeriodQuery = {
  ...ScopeQuery,
  from: PeriodDay("The first day, in the merchant's time zone. All there is without it."),
  to: PeriodDay("The last day, itself included, in the merchant's time zone. All there is without it."),
}

/** The days that were asked for, both included. */
export interface Period {
  from?: string
  to?: string
}

/** The period's values for a statement, null for an open end. @throws E_VALIDATION when it ends before it begins */
export function periodValues({ from, to }: Period): [from: string | null, to: string | null] {
  if (from !== undefined && to !== undefined && to < from)
    throw problem(400, 'E_VALIDATION', 'The request is not valid.', {
      errors: [{ path: '/query/to', message: `must not be before ${from}`, code: 'minimum' }],
    })
  return [from ?? null, to ?? null]
}
