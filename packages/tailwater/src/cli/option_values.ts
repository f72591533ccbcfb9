import { TailwaterError } from '@tailwater/core'
import type { Call } from './command_family.ts'

/** Options that take a text each. */
export function texts<const Name extends string>(...names: Name[]) {
  return Object.fromEntries(names.map((name) => [name, { type: 'string' }])) as Record<Name, { type: 'string' }>
}

/** An option that takes a text, and may be given again. */
export const manyTexts = { type: 'string', multiple: true } as const

/** A text that was given once. */
export function textOf({ options }: Call, name: string): string | undefined {
  const given = options[name]
  return typeof given === 'string' ? given : undefined
}

/** All that was given by a name. */
export function listOf({ options }: Call, name: string): string[] {
  return [options[name] ?? []].flat().map(String)
}

/** A whole number within bounds. @throws E_OPTIONS */
export function numberOf(call: Call, name: string, bounds: { least: number; most: number; standard: number }): number {
  const given = textOf(call, name)
  const { least, most, standard } = bounds
  const number = given === undefined ? standard : Number(given)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw wrongOption(name, `a whole number from ${least} to ${most}`, given)
}

/** The error of an option that cannot be so. */
export function wrongOption(name: string, expected: string, given: unknown): TailwaterError {
  const path = `--${name}`
  return new TailwaterError('E_OPTIONS', `${path} must be ${expected}, got '${given}'`, { path, expected })
}
