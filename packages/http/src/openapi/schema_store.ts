import type { JsonSchema } from '../validation/closed_schema.ts'

/** Gathers the schemas that have a name. */
export interface SchemaStore {
  readonly schemas: Record<string, JsonSchema>
  /** A schema as it stands in the document: named ones, at any depth, as references. */
  place(schema: JsonSchema): JsonSchema
}

/** Makes a store that holds some schemas already. */
export function createSchemaStore(schemas: Record<string, JsonSchema>): SchemaStore {
  const store = { schemas: { ...schemas }, place }

  function place(schema: JsonSchema): JsonSchema {
    const { $id, ...rest } = schema
    const placed = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, placeWithin(inner)]))
    if (typeof $id !== 'string') return placed
    store.schemas[$id] = placed
    return { $ref: `#/components/schemas/${$id}` }
  }

  function placeWithin(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(placeWithin)
    return value !== null && typeof value === 'object' ? place(value as JsonSchema) : value
  }
  return store
}
