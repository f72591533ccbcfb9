import type { Migration } from '@tailwater/postgres'
import { sweeping } from './sweeping.ts'
import { turningInTwos } from './turning.ts'

/** Functions of release 0.3, beside those that processes of 0.2 call. */
export const jobsSweepsMigration: Migration = {
  version: 4,
  name: 'sweeps that tell',
  up: (schema) => `${sweeping(schema)}\n${turningInTwos(schema)}`,
}
