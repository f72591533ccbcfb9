import { optionsError } from '@tailwater/core'

/** Names of the usual priorities; any whole number from 0 (first) to 255 (last) is one, too. */
export const priorities = { critical: 0, high: 64, normal: 128, low: 192 } as const

/** How urgent a job is. */
export type Priority = keyof typeof priorities | number

/** The number of a priority. @throws E_OPTIONS */
export function priorityOf(given: Priority, path = 'priority'): number {
  const number = typeof given === 'string' ? priorities[given] : given
  if (Number.isInteger(number) && number >= 0 && number <= 255) return number
  throw optionsError(path, "'critical', 'high', 'normal', 'low' or a whole number from 0 to 255", given)
}
