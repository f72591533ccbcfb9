/** Schemas as plain JSON, which is how their keywords are read here. */
export type JsonSchema = Record<string, unknown>

/** Keywords under which further schemas stand: one, several, or by name. */
const SINGLE = ['items', 'not', 'if', 'then', 'else', 'contains', 'propertyNames'] as const
const LISTS = ['anyOf', 'oneOf', 'prefixItems'] as const
const MAPS = ['$defs', 'dependentSchemas', 'patternProperties', 'properties'] as const
const OPENERS = ['additionalProperties', 'unevaluatedProperties', 'patternProperties']

/**
 * A copy of a schema in which every object refuses the fields it does not name, unless it says otherwise.
 *
 * An intersection is closed as a whole (`unevaluatedProperties`): its parts do not know of each other's fields.
 */
export function closed(schema: JsonSchema): JsonSchema {
  return close(schema, true)
}

function close(schema: JsonSchema, seal: boolean): JsonSchema {
  const copy: JsonSchema = { ...schema }
  for (const key of SINGLE) if (isSchema(copy[key])) copy[key] = close(copy[key], true)
  for (const key of LISTS) if (Array.isArray(copy[key])) copy[key] = copy[key].map((part) => close(part, seal))
  for (const key of MAPS)
    if (isSchema(copy[key]))
      copy[key] = Object.fromEntries(Object.entries(copy[key]).map(([name, part]) => [name, closePart(part)]))
  const parts = copy['allOf']
  if (Array.isArray(parts)) copy['allOf'] = parts.map((part) => close(part, false))
  if (!seal || OPENERS.some((keyword) => keyword in copy)) return copy
  if (Array.isArray(parts)) copy['unevaluatedProperties'] = false
  else if (copy['type'] === 'object' && copy['properties'] !== undefined) copy['additionalProperties'] = false
  return copy
}

function closePart(part: unknown): unknown {
  return isSchema(part) ? close(part, true) : part
}

function isSchema(value: unknown): value is JsonSchema {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** A copy of a schema that asks for no field, for replies of which only some were asked for. */
export function relaxed(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => key !== 'required' || !Array.isArray(value))
      .map(([key, value]) => [key, relaxedWithin(value)]),
  )
}

function relaxedWithin(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relaxedWithin)
  return isSchema(value) ? relaxed(value) : value
}
