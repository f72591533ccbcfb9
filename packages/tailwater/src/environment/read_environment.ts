import { nearestName, show, TailwaterError } from '@tailwater/core'
import type { Variable } from './variable.ts'
import { type Environment, variables } from './variables.ts'

/**
 * Reads the program's environment variables. Empty counts as absent.
 *
 * @throws E_OPTIONS naming the variable and what it must be; secrets are never shown
 */
export function readEnvironment(given: Readonly<Record<string, string | undefined>>): Environment {
  for (const name of Object.keys(given)) if (name.startsWith('TAILWATER_')) refuseUnknown(name)
  const read: Record<string, unknown> = {}
  for (const [name, variable] of Object.entries<Variable<unknown>>(variables))
    read[name] = readOne(name, variable, given[name])
  return read as Environment
}

function readOne(name: string, variable: Variable<unknown>, given: string | undefined): unknown {
  const text = given?.trim() || variable.fallback
  if (text === undefined) return undefined
  const value = variable.read(text)
  if (value !== undefined) return value
  const got = variable.isSecret ? '' : `, got ${show(text)}`
  throw new TailwaterError('E_OPTIONS', `the environment variable ${name} must be ${variable.expected}${got}`, {
    path: name,
  })
}

/** Our own prefix is ours to police; test runs set TAILWATER_TEST_… beside it. */
function refuseUnknown(name: string): void {
  if (Object.hasOwn(variables, name) || name.startsWith('TAILWATER_TEST_')) return
  const suggestion = nearestName(name, Object.keys(variables))
  const hint = suggestion ? `did you mean ${suggestion}?` : 'see .env.example for those that exist'
  throw new TailwaterError('E_OPTIONS', `unknown environment variable ${name}: ${hint}`, { path: name, suggestion })
}

/** The text of `.env.example`: every variable commented out, with what it is about. */
export function environmentExample(): string {
  const entries = Object.entries<Variable<unknown>>(variables).map(([name, variable]) => {
    const fallback = variable.fallback === undefined ? '' : ` (default: ${variable.fallback})`
    return `# ${variable.about}${fallback}\n# ${name}=${variable.example}\n`
  })
  return `# Settings of the merchant. Copy to .env and take the # away from what you set.\n# Generated: edit packages/tailwater/src/environment/variables.ts, then run npm run check -- --fix\n\n${entries.join('\n')}`
}
