import type { StandardSchema } from '@tailwater/jobs'
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** A TypeBox schema as any library reads it; checks, and changes nothing. */
export function standardSchema<Schema extends TSchema>(schema: Schema): StandardSchema<Static<Schema>> {
  const compiled = Compile(schema)
  return {
    '~standard': {
      version: 1,
      vendor: 'typebox',
      validate(value) {
        if (compiled.Check(value)) return { value: value as Static<Schema> }
        const issues = compiled.Errors(value).map(({ message, instancePath }) => ({
          message,
          path: instancePath.split('/').slice(1),
        }))
        return { issues }
      },
    },
  }
}
