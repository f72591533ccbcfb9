import { nearestName } from '@tailwater/core'
import { type TSchema, Type } from 'typebox'
import { problem } from './problem.ts'
import type { JsonSchema } from './validation/closed_schema.ts'

/** The query parameter of operations with sparse fields; spread it into the route's query schema. */
export const fieldsQuery = {
  fields: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1_000,
      description: 'Fields to answer with, by comma; those of nested objects with a point.',
      examples: ['id,name,category.name'],
    }),
  ),
}

/** Which fields of a value are asked for; all of a field's own fields when it is not looked into. */
export interface Selection {
  /** The paths asked for, each once, parents instead of their children where both are. */
  readonly paths: readonly string[]
  /** Whether a path, something in it, or something that contains it is asked for. */
  has(path: string): boolean
  /** The value with only these fields, in its own order; lists by element. */
  pick<T>(value: T): T
}

/** Reads `?fields=` against a schema. */
export interface Fields {
  /** @throws E_VALIDATION naming the unknown field, and the nearest known one */
  parse(text: string | undefined): Selection
}

/** Nested selections by field; undefined for a whole field. */
interface Tree {
  [name: string]: Tree | undefined
}

/** Selections remembered per schema: clients ask for the same few again and again. */
const REMEMBERED = 200

const EVERYTHING: Selection = { paths: [], has: () => true, pick: (value) => value }

/**
 * Prepares sparse fields for values of a schema; for a list, give the schema of its items.
 *
 * @example
 * const fields = createFields(Product)
 * const selection = fields.parse(query.fields)
 * return selection.pick(product)
 */
export function createFields(schema: TSchema): Fields {
  const remembered = new Map<string, Selection>()
  return {
    parse(text) {
      if (text === undefined) return EVERYTHING
      const known = remembered.get(text)
      if (known) return known
      const selection = select(schema as JsonSchema, text)
      if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value!)
      remembered.set(text, selection)
      return selection
    },
  }
}

function select(schema: JsonSchema, text: string): Selection {
  const tree: Tree = Object.create(null)
  for (const path of text.split(',')) graft(tree, checkedPath(schema, path))
  const paths = pathsOf(tree)
  return {
    paths,
    has: (path) => paths.some((own) => own === path || own.startsWith(`${path}.`) || path.startsWith(`${own}.`)),
    pick: picker(tree) as Selection['pick'],
  }
}

function checkedPath(schema: JsonSchema, path: string): string[] {
  const steps = path.split('.')
  let inside: JsonSchema[] = [schema]
  for (const [depth, step] of steps.entries()) {
    const known = inside.flatMap((part) => Object.keys(propertiesOf(part)))
    if (!known.includes(step)) throw unknownField(steps.slice(0, depth), step, known)
    inside = inside.flatMap((part): JsonSchema[] => {
      const next = propertiesOf(part)[step]
      return next ? [next] : []
    })
  }
  return steps
}

/** The fields of a schema's objects, through lists, unions (a nullable object) and intersections. */
function propertiesOf(schema: JsonSchema): Record<string, JsonSchema> {
  const own = (schema['properties'] ?? {}) as Record<string, JsonSchema>
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (schema[key] ?? []) as JsonSchema[])
  if (schema['items']) inner.push(schema['items'] as JsonSchema)
  return Object.assign(Object.create(null), own, ...inner.map(propertiesOf))
}

function graft(tree: Tree, steps: readonly string[]): void {
  let at = tree
  for (const [depth, step] of steps.entries()) {
    const isLast = depth === steps.length - 1
    const before = at[step]
    // A whole field stays whole, whether it was named before its children or after.
    if (isLast || (step in at && before === undefined)) {
      at[step] = undefined
      return
    }
    at = at[step] = before ?? Object.create(null)
  }
}

function pathsOf(tree: Tree, prefix = ''): string[] {
  return Object.entries(tree).flatMap(([name, inner]) =>
    inner ? pathsOf(inner, `${prefix}${name}.`) : [prefix + name],
  )
}

function picker(tree: Tree): (value: unknown) => unknown {
  const inner = new Map(Object.entries(tree).map(([name, sub]) => [name, sub && picker(sub)]))
  const pick = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(pick)
    if (value === null || typeof value !== 'object') return value
    const picked: Record<string, unknown> = {}
    for (const name in value)
      if (inner.has(name)) {
        const next = inner.get(name)
        const field = (value as Record<string, unknown>)[name]
        picked[name] = next ? next(field) : field
      }
    return picked
  }
  return pick
}

function unknownField(parents: readonly string[], step: string, known: readonly string[]) {
  const name = [...parents, step].join('.').slice(0, 100)
  const near = nearestName(step, known)
  const hint = near ? `did you mean '${[...parents, near].join('.')}'?` : hintOf(parents, known)
  return problem(400, 'E_VALIDATION', 'The request is not valid.', {
    errors: [{ path: '/query/fields', message: `'${name}' is not a field: ${hint}`, code: 'unknown' }],
  })
}

function hintOf(parents: readonly string[], known: readonly string[]): string {
  if (known.length === 0) return `'${parents.join('.')}' has no fields of its own`
  return `known fields: ${known.join(', ')}`
}

/**
 * The SQL columns that a selection needs, each once, so that no more is read than is asked for.
 *
 * @param columns by field path, one or several expressions: `{ id: 'p.id', 'category.name': 'c.name AS category_name' }`
 * @param always needed whatever is asked for, such as a keyset's columns
 */
export function selectColumns(
  selection: Selection,
  columns: Readonly<Record<string, string | readonly string[]>>,
  always: readonly string[] = [],
): string {
  const wanted = Object.entries(columns).flatMap(([path, sql]) => (selection.has(path) ? sql : []))
  return [...new Set([...wanted, ...always])].join(', ')
}
