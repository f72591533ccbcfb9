import type { TSchema } from 'typebox'
import type { JsonSchema } from './closed_schema.ts'
import type { QueryValues } from './query_string.ts'

/** Turns the text of one parameter into what its schema wants; text that is no such value stays as it is, to be refused by the schema. */
type Coercer = (value: string | string[]) => unknown

/** Canonical decimal notation only: `0x10`, `1e3`, ` 1` and `007` are not numbers here. */
const NUMBER = /^-?(?:0|[1-9]\d{0,20})(?:\.\d{1,20})?$/

/** Compiles the conversion of texts (params, query, headers) for an object schema; absent ones get their schema's default. */
export function compileCoercion(schema: TSchema): (values: QueryValues) => Record<string, unknown> {
  const properties = (schema as JsonSchema)['properties'] as Record<string, JsonSchema> | undefined
  const coercers = Object.entries(properties ?? {}).flatMap(([name, property]) => {
    const coerce = coercerOf(property)
    return coerce ? [[name, coerce] as const] : []
  })
  const defaults = Object.entries(properties ?? {}).filter(([, property]) => property['default'] !== undefined)
  return (values) => {
    const out: Record<string, unknown> = values
    for (const [name, coerce] of coercers) {
      const given = values[name]
      if (given !== undefined) out[name] = coerce(given)
    }
    for (const [name, property] of defaults) if (out[name] === undefined) out[name] = property['default']
    return out
  }
}

function coercerOf(schema: JsonSchema): Coercer | undefined {
  if (schema['type'] === 'array') {
    const inner = coercerOf((schema['items'] ?? {}) as JsonSchema) ?? ((value) => value)
    return (value) => (Array.isArray(value) ? value : [value]).map((one) => inner(one))
  }
  const types = kindsOf(schema)
  const numeric = types.has('integer') || types.has('number')
  const truth = types.has('boolean')
  if (!numeric && !truth) return undefined
  return (value) => {
    if (typeof value !== 'string') return value
    if (truth && (value === 'true' || value === 'false')) return value === 'true'
    return numeric && NUMBER.test(value) ? Number(value) : value
  }
}

/** The types a schema may take, through unions. */
function kindsOf(schema: JsonSchema): Set<unknown> {
  const branches = (schema['anyOf'] ?? schema['oneOf']) as JsonSchema[] | undefined
  if (branches) return new Set(branches.flatMap((branch) => [...kindsOf(branch)]))
  return new Set([schema['type']].flat())
}
