import { TailwaterError } from '@tailwater/core'

/** The name of the constraint that a statement ran into, or undefined when it failed for another reason. */
export function violatedConstraint(error: unknown): string | undefined {
  const constraint = error instanceof TailwaterError ? error.details['constraint'] : undefined
  return typeof constraint === 'string' ? constraint : undefined
}
