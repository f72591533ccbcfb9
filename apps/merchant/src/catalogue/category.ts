import { Id, Nullable, Text } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { Slug } from '../api/field.ts'

/** A category. */
export const categorySchema = Type.Object({
  id: Id,
  slug: Slug,
  name: Type.String({ examples: ['Home decor'] }),
  parentId: Nullable(Id),
})

/** A category with those above and right below it. */
export const categoryDetailSchema = Type.Object({
  ...categorySchema.properties,
  ancestors: Type.Array(categorySchema, { description: 'From the root down.' }),
  children: Type.Array(categorySchema),
})

/** A category with all below it, each with its own. */
export const categoryTreeSchema = Type.Object({
  ...categorySchema.properties,
  children: Type.Array(Type.Unsafe<CategoryTree>({ type: 'object', description: 'The same again, one level down.' })),
})

/** What is said of a new category. */
export const newCategorySchema = Type.Object({ slug: Slug, name: Text(100), parentId: Type.Optional(Nullable(Id)) })

/** A category. */
export type Category = Static<typeof categorySchema>

/** A category with those above and right below it. */
export type CategoryDetail = Static<typeof categoryDetailSchema>

/** A category with all below it. */
export interface CategoryTree extends Category {
  children: CategoryTree[]
}

/** Puts categories below their parents. Those whose parent is not among them are roots. */
export function buildTree(categories: readonly Category[]): CategoryTree[] {
  const nodes = new Map(categories.map((category) => [category.id, { ...category, children: [] as CategoryTree[] }]))
  const roots: CategoryTree[] = []
  for (const node of nodes.values()) {
    const parent = node.parentId === null ? undefined : nodes.get(node.parentId)
    ;(parent?.children ?? roots).push(node)
  }
  return roots
}
