/** A JSON schema, as far as the generator looks into it. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  allOf?: Schema[]
  examples?: unknown[]
  default?: unknown
  minimum?: number
  minLength?: number
  format?: string
  pattern?: string
}

/** One operation of an OpenAPI document. */
export interface Operation {
  id: string
  method: string
  path: string
  parameters: { name: string; in: 'path' | 'query' | 'header'; schema: Schema }[]
  body: Schema | undefined
  needsCaller: boolean
}

interface Document {
  paths: Record<string, Record<string, RawOperation>>
  components?: { schemas?: Record<string, Schema> }
}

interface RawOperation {
  operationId: string
  parameters?: { name: string; in: 'path' | 'query' | 'header'; schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  security?: unknown[]
}

/** All operations of a document, references resolved where they stand at the top of a body. */
export function operationsOf(document: Document): Operation[] {
  const resolve = (schema: Schema | undefined): Schema | undefined =>
    schema?.$ref ? resolve(document.components?.schemas?.[schema.$ref.split('/').at(-1)!]) : schema
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => ({
      id: raw.operationId,
      method: method.toUpperCase(),
      path,
      parameters: raw.parameters ?? [],
      body: resolve(raw.requestBody && Object.values(raw.requestBody.content)[0]?.schema),
      needsCaller: (raw.security?.length ?? 0) > 0,
    })),
  )
}

/** A value that should be accepted: what a mutation starts from. */
export function plausible(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.examples?.length) return schema.examples[0]
  if (schema.enum?.length) return schema.enum[0]
  const [choice] = schema.anyOf ?? schema.allOf ?? []
  if (choice) return plausible(choice)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'object' || schema.properties)
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, plausible(inner)]))
  if (type === 'array') return schema.items ? [plausible(schema.items)] : []
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1
  if (type === 'boolean') return true
  if (type === 'null') return null
  return 'a'.repeat(Math.max(1, schema.minLength ?? 1))
}
