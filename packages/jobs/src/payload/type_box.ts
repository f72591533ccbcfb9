import type { StandardSchema } from './standard_schema.ts'

/** What is needed of a schema of TypeBox that was compiled: `Compile(Type.Object({ … }))` of `typebox/compile`, or `TypeCompiler.Compile` of `@sinclair/typebox`. */
export interface CompiledTypeBox<Payload> {
  Check(value: unknown): value is Payload
  Errors(value: unknown): Iterable<TypeBoxError>
}

/** What TypeBox finds wrong; where, says version 1 in `instancePath` and version 0 in `path`, as a JSON pointer. */
interface TypeBoxError {
  readonly message: string
  readonly instancePath?: string
  readonly path?: string
}

/**
 * TypeBox for `schema`: its schemas are JSON Schema and know nothing of Standard Schema. It checks, and changes nothing.
 *
 * @example
 * const schema = typeBoxSchema(Compile(Type.Object({ orderId: Type.Number() })))
 * jobs.define({ kind: 'parcel', schema, run: ({ payload }) => send(payload.orderId) })
 */
export function typeBoxSchema<Payload>(compiled: CompiledTypeBox<Payload>): StandardSchema<Payload> {
  return {
    '~standard': {
      version: 1,
      vendor: 'typebox',
      validate: (value) =>
        compiled.Check(value) ? { value } : { issues: Array.from(compiled.Errors(value), issueOf) },
    },
  }
}

function issueOf({ message, instancePath, path = instancePath }: TypeBoxError) {
  const steps = (path ?? '').split('/').slice(1)
  return { message, path: steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')) }
}
