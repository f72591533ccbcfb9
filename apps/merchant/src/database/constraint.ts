import { TailwaterError } from '@tailwater/core'
import { type HttpProblem, problem } from '@tailwater/http'

/** What to tell a client that ran into a constraint, by the constraint's name. */
export type ConstraintProblems = Readonly<Record<string, () => HttpProblem>>

/**
 * Runs a write, and tells its constraints in the client's words.
 *
 * Asked of the database afterwards and not looked up before, because between a look and a write others write too.
 */
export async function explainConstraints<T>(write: () => Promise<T>, problems: ConstraintProblems = {}): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const constraint = violatedConstraint(error)
    const told = constraint === undefined ? undefined : problems[constraint]
    if (told) throw told()
    // Only administrators name a merchant; everybody else's is known to exist.
    if (constraint?.endsWith('_merchant_id_fkey')) throw problem(404, 'E_NOT_FOUND', 'There is no such merchant.')
    throw error
  }
}

function violatedConstraint(error: unknown): string | undefined {
  const constraint = error instanceof TailwaterError ? error.details['constraint'] : undefined
  return typeof constraint === 'string' ? constraint : undefined
}

/** A value that must be unique and is not. */
export function takenProblem(code: string, field: string, detail: string): HttpProblem {
  return problem(409, code, detail, { errors: [{ path: `/body/${field}`, message: 'is taken', code: 'unique' }] })
}

/** A field that names something which does not exist. */
export function referenceProblem(field: string, detail: string): HttpProblem {
  return problem(422, 'E_REFERENCE', detail, {
    errors: [{ path: `/body/${field}`, message: detail, code: 'reference' }],
  })
}
