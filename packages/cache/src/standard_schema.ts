import { cacheError } from './errors.ts'

/** A schema of any library that follows Standard Schema (standardschema.dev): zod, valibot, arktype and others. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
  }
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** Issues that are told of in the message. */
const SHOWN = 3

/**
 * The value as the schema has it.
 *
 * @throws E_CACHE_SCHEMA, also for a schema that validates asynchronously: a hit cannot wait for it
 */
export function validate(schema: StandardSchema, value: unknown, key: string): unknown {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    result.catch(() => undefined)
    throw cacheError(
      'E_CACHE_SCHEMA',
      `the schema of '${key}' validates asynchronously, which a cache cannot wait for`,
      { key },
    )
  }
  if (result.issues === undefined) return result.value
  const issues = result.issues
    .slice(0, SHOWN)
    .map(({ message, path }) => (path?.length ? `${path.map(nameOf).join('.')}: ${message}` : message))
  throw cacheError('E_CACHE_SCHEMA', `the value of '${key}' is not what its schema wants: ${issues.join('; ')}`, {
    key,
    issues,
  })
}

function nameOf(part: unknown): string {
  return String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part)
}
