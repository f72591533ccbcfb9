import { integer, type Size, size, value } from '@tailwater/core'
import { type PolicyChoice, policyNames } from './policy_choice.ts'

/** How much a near tier keeps. */
export interface NearOptions {
  /** @default 10_000 */
  maxEntries?: number
  /** Of keys and values as estimated; the process may well use half as much again. @default '64mb' */
  maxBytes?: Size
  /** What goes first when there is no room: a policy by its name, or a function that builds one. @default 's3-fifo' */
  policy?: PolicyChoice
}

/** How `NearOptions` are read. */
export const nearFields = {
  maxEntries: integer({ min: 1, max: 2 ** 24, default: 10_000 }),
  maxBytes: size({ default: '64mb' }),
  policy: value<PolicyChoice>(
    `one of ${policyNames.map((name) => `'${name}'`).join(', ')}, or a function that builds a policy`,
    (given) => typeof given === 'function' || policyNames.some((name) => name === given),
    { default: 's3-fifo' },
  ),
}
