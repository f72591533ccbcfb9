import { json, problem, type Route, route } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import { Type } from 'typebox'
import { callerOf, type Gate } from '../accounts/caller.ts'
import { IdParams } from '../api/field.ts'
import type { ShopCaches } from '../caches/shop_caches.ts'
import { shopTags } from '../caches/shop_tags.ts'
import { type ConstraintProblems, explainConstraints, referenceProblem, takenProblem } from '../database/constraint.ts'
import {
  buildTree,
  type Category,
  type CategoryDetail,
  categoryDetailSchema,
  categorySchema,
  categoryTreeSchema,
  newCategorySchema,
} from './category.ts'
import { type CategoryStatements, MAX_CATEGORIES } from './category_statements.ts'

/** What the routes of categories are made of. */
export interface CategoryParts {
  database: Database
  statements: CategoryStatements
  gate: Gate
  caches: ShopCaches
}

/** A list like the others, but always whole: a part of a tree is no tree. */
const Tree = Type.Object({
  data: Type.Array(categoryTreeSchema),
  page: Type.Object({ next: Type.Null(), previous: Type.Null(), limit: Type.Integer(), total: Type.Integer() }),
})

const tags = ['catalogue']

/** The routes of categories, which all merchants share. */
export function categoryRoutes(parts: CategoryParts): Route[] {
  return [treeRoute(parts), showRoute(parts), createRoute(parts)]
}

function treeRoute({ database, statements, caches }: CategoryParts): Route {
  return route({
    method: 'GET',
    path: '/categories',
    id: 'listCategories',
    summary: 'All categories, as a tree',
    tags,
    schema: { response: { 200: Tree } },
    handler: () =>
      caches.categories.answer('tree', async (loading) => {
        loading.addTags(shopTags.categories)
        const { rows } = await caches.sourceOf(database).query<Category>(statements.all)
        const page = { next: null, previous: null, limit: MAX_CATEGORIES, total: rows.length }
        return json({ data: buildTree(rows), page })
      }),
  })
}

function showRoute({ database, statements, caches }: CategoryParts): Route {
  return route({
    method: 'GET',
    path: '/categories/:id',
    id: 'showCategory',
    summary: 'One category with those above and right below it',
    tags,
    schema: { params: IdParams, response: { 200: categoryDetailSchema } },
    handler: ({ params: { id } }) =>
      caches.categories.answer(String(id), async (loading) => {
        loading.addTags(shopTags.categories)
        const { rows } = await caches.sourceOf(database).query<CategoryDetail>(statements.one, [id])
        if (!rows[0]) throw problem(404, 'E_NOT_FOUND', `There is no category ${id}.`)
        return json(rows[0])
      }),
  })
}

function createRoute({ database, statements, gate, caches }: CategoryParts): Route {
  return route({
    method: 'POST',
    path: '/categories',
    id: 'createCategory',
    summary: 'Add a category',
    description: 'For administrators, because all merchants share the categories.',
    tags,
    security: ['bearer'],
    use: [gate.required],
    schema: { body: newCategorySchema, response: { 201: categorySchema } },
    async handler({ body: { slug, name, parentId = null }, exchange }) {
      if (callerOf(exchange)?.kind !== 'admin')
        throw problem(403, 'E_ADMIN_ONLY', 'Only administrators change what all merchants share.')
      const insert = () =>
        database.transaction(async (tx) => {
          await caches.changes.categories(tx)
          return tx.query<Category>(statements.insert, [slug, name, parentId])
        })
      const { rows } = await explainConstraints(insert, PROBLEMS)
      if (!rows[0]) throw referenceProblem('parentId', 'There is no such parent.')
      return json(rows[0], { status: 201, headers: { location: `${exchange.path}/${rows[0].id}` } })
    },
  })
}

const PROBLEMS: ConstraintProblems = {
  categories_slug_key: () => takenProblem('E_SLUG_TAKEN', 'slug', 'Another category has this slug.'),
}
