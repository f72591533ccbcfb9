import { STATUS_CODES } from 'node:http'
import { TailwaterError } from '@tailwater/core'
import { IsOptional, type TSchema } from 'typebox'
import type { Route } from '../route.ts'
import { closed, type JsonSchema } from '../validation/closed_schema.ts'
import { PROBLEM_RESPONSE, PROBLEM_SCHEMA } from './problem_schema.ts'
import { createSchemaStore, type SchemaStore } from './schema_store.ts'

/** What the document says of the whole API. */
export interface OpenapiOptions {
  title: string
  version: string
  description?: string
  servers?: readonly { url: string; description?: string }[]
  /** Put before every path, as in the router. */
  basePath?: string
  /** By the names that routes use in `security`. */
  securitySchemes?: Readonly<Record<string, JsonSchema>>
  /** In this order; tags that only routes name follow. */
  tags?: readonly { name: string; description?: string }[]
}

/** An OpenAPI 3.1 document, plain data. */
export interface OpenapiDocument {
  openapi: '3.1.0'
  info: { title: string; version: string; description?: string }
  servers?: readonly JsonSchema[]
  tags: readonly { name: string; description?: string }[]
  paths: Record<string, Record<string, JsonSchema>>
  components: {
    schemas: Record<string, JsonSchema>
    responses: Record<string, JsonSchema>
    securitySchemes: Readonly<Record<string, JsonSchema>>
  }
}

/**
 * Describes routes as an OpenAPI 3.1 document, from the same schemas that check requests.
 *
 * A schema with an `$id` is described once, under `components`. A response whose schema names a `contentMediaType` is
 * of that type, and of JSON otherwise.
 *
 * @throws E_ROUTE when a route names a security scheme that is not described
 */
export function openapiDocument(routes: readonly Route[], options: OpenapiOptions): OpenapiDocument {
  const { title, version, description, servers, basePath = '', securitySchemes = {} } = options
  const store = createSchemaStore({ Problem: PROBLEM_SCHEMA })
  const paths: OpenapiDocument['paths'] = {}
  for (const route of routes) {
    const path = templateOf(basePath + route.path)
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operationOf(route, store, securitySchemes)
  }
  return {
    openapi: '3.1.0',
    info: { title, version, ...(description === undefined ? {} : { description }) },
    ...(servers ? { servers: servers.map((server) => ({ ...server })) } : {}),
    tags: tagsOf(routes, options.tags ?? []),
    paths,
    components: { schemas: store.schemas, responses: { Problem: PROBLEM_RESPONSE }, securitySchemes },
  }
}

/** `/products/:id` as `/products/{id}`. */
function templateOf(pattern: string): string {
  return pattern.replace(/:(\w+)(?:\([^)]*\))?\??/g, '{$1}') || '/'
}

function operationOf(route: Route, store: SchemaStore, schemes: Readonly<Record<string, unknown>>): JsonSchema {
  const { schema } = route
  const parameters = [
    ...parametersOf(schema.params, 'path', store),
    ...parametersOf(schema.query, 'query', store),
    ...parametersOf(schema.headers, 'header', store),
  ]
  const operation: JsonSchema = { operationId: route.id, summary: route.summary }
  if (route.description !== undefined) operation['description'] = route.description
  if (route.tags) operation['tags'] = [...route.tags]
  if (parameters.length > 0) operation['parameters'] = parameters
  if (schema.body)
    operation['requestBody'] = { required: !IsOptional(schema.body), content: contentOf(schema.body, store, true) }
  operation['responses'] = responsesOf(route, store)
  operation['security'] = securityOf(route, schemes)
  return operation
}

function parametersOf(
  schema: TSchema | undefined,
  place: 'path' | 'query' | 'header',
  store: SchemaStore,
): JsonSchema[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, JsonSchema>
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => {
    const { description, examples, ...rest } = property
    const parameter: JsonSchema = { name, in: place }
    // What has a default may be left out, although the handler always gets it.
    parameter['required'] = place === 'path' || (required.includes(name) && property['default'] === undefined)
    if (description !== undefined) parameter['description'] = description
    if (Array.isArray(examples)) parameter['example'] = examples[0]
    parameter['schema'] = store.place(rest)
    return parameter
  })
}

function contentOf(schema: TSchema, store: SchemaStore, sealed: boolean): JsonSchema {
  const plain = schema as JsonSchema
  const { contentMediaType = 'application/json' } = plain
  const { examples } = plain
  const media: JsonSchema = { schema: store.place(sealed ? closed(plain) : plain) }
  if (Array.isArray(examples)) media['example'] = examples[0]
  return { [String(contentMediaType)]: media }
}

const PROBLEM = { $ref: '#/components/responses/Problem' }

function responsesOf(route: Route, store: SchemaStore): JsonSchema {
  const { schema } = route
  const responses: JsonSchema = {}
  for (const [status, response] of Object.entries(schema.response)) {
    const description = (response as JsonSchema | undefined)?.['description'] ?? STATUS_CODES[status] ?? 'Reply'
    responses[status] = response ? { description, content: contentOf(response, store, false) } : { description }
  }
  if (schema.params || schema.query || schema.headers || schema.body) responses['400'] ??= PROBLEM
  if (route.security?.length) responses['401'] ??= PROBLEM
  if (schema.body) {
    responses['413'] ??= PROBLEM
    responses['415'] ??= PROBLEM
  }
  responses['default'] ??= PROBLEM
  return responses
}

function securityOf(route: Route, schemes: Readonly<Record<string, unknown>>): JsonSchema[] {
  return (route.security ?? []).map((name) => {
    if (!Object.hasOwn(schemes, name))
      throw new TailwaterError('E_ROUTE', `route '${route.id}' asks for security '${name}', which is not described`, {
        route: route.id,
        name,
      })
    return { [name]: [] }
  })
}

function tagsOf(routes: readonly Route[], described: readonly { name: string; description?: string }[]) {
  const names = new Set(routes.flatMap((route) => route.tags ?? []))
  for (const { name } of described) names.delete(name)
  return [...described, ...[...names].map((name) => ({ name }))]
}
