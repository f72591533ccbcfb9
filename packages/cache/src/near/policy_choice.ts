import { Lru } from './lru.ts'
import type { EvictionPolicyFactory } from './policy.ts'
import { S3Fifo } from './s3_fifo.ts'
import { SecondChance } from './second_chance.ts'
import { Sieve } from './sieve.ts'

/** A policy by its name, or what builds one of the user's own. */
export type PolicyChoice = PolicyName | EvictionPolicyFactory

/** The policies that are here. */
export type PolicyName = keyof typeof policies

const policies = {
  's3-fifo': () => new S3Fifo(),
  lru: () => new Lru(),
  sieve: () => new Sieve(),
  clock: () => new SecondChance(),
} satisfies Record<string, EvictionPolicyFactory>

/** The names of the policies, the default first. */
export const policyNames = Object.keys(policies) as PolicyName[]

/** What builds the policy that was chosen. */
export function policyFactory(choice: PolicyChoice): EvictionPolicyFactory {
  return typeof choice === 'string' ? policies[choice] : choice
}
