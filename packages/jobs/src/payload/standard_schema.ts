/**
 * A schema of any library that follows Standard Schema 1 (https://standardschema.dev): zod, valibot, ArkType and others.
 *
 * Written out here, as the specification advises, so that nobody needs a package for it.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Issues named in an error. */
const MAX_ISSUES = 5

/** Whether a value is such a schema. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  const standard = (value as { '~standard'?: { validate?: unknown } } | null | undefined)?.['~standard']
  return typeof standard?.validate === 'function'
}

/** What is wrong, for people: `to: expected a string; amount: too small`. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  const named = issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => {
    const place = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
    return place ? `${place}: ${message}` : message
  })
  return issues.length > MAX_ISSUES ? `${named.join('; ')}; and ${issues.length - MAX_ISSUES} more` : named.join('; ')
}
