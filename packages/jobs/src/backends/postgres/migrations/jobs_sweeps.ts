import type { Migration } from '@tailwater/postgres'
import { completing } from './completing.ts'
import { sweeping } from './sweeping.ts'
import { turningInTwos } from './turning.ts'

/** Functions of release 0.3, beside those that processes of 0.2 call. */
export const jobsSweepsMigration: Migration = {
  version: 4,
  name: 'sweeps that tell',
  up: (schema) => [sweeping, completing, turningInTwos].map((part) => part(schema)).join('\n'),
}
