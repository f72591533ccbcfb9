import { deepStrictEqual } from 'node:assert'
import { digestOf } from '../load/load_run.ts'
import type { Address } from '../load/plan.ts'

/** What both sides answer of a product. */
export const FIELDS = 'id,sku,title,price,status,categoryId,category,available,createdAt'
/** Pages of each category that are asked for. */
const PAGES = 5
const PAGE_SIZE = 20

interface ListAnswer {
  data: object[]
  page: { next: string | null; total?: number }
}

interface NaiveAnswer {
  data: object[]
  total: number
}

/** A page that was asked for once: its decoded body, and what a load process needs to recognise it again. */
interface Fetched<T> {
  body: T
  address: Address
}

async function fetchPage<T>(port: number, path: string): Promise<Fetched<T>> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'accept-encoding': 'identity' } })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = new TextDecoder().decode(bytes)
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`)
  return { body: JSON.parse(text) as T, address: { path, bytes: bytes.length, digest: digestOf(bytes) } }
}

/** The addresses of the same pages on both sides. */
export interface SamePages {
  ours: Address[]
  theirs: Address[]
  categories: number
}

/**
 * Walks the first pages of every category that holds products, on both sides, and compares each: the same rows, in the same order, with
 * the same fields and values, and the same total.
 *
 * @throws AssertionError at the first difference
 */
export async function findSamePages(ports: { ours: number; theirs: number }): Promise<SamePages> {
  const found: SamePages = { ours: [], theirs: [], categories: 0 }
  for (const category of await leafCategories(ports.ours)) {
    const before = found.ours.length
    let cursor: string | null = ''
    for (let page = 1; page <= PAGES && cursor !== null; page++) {
      const list = `/api/products?category=${category}`
      const path: string = `${list}&limit=${PAGE_SIZE}&fields=${FIELDS}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`
      const own: Fetched<ListAnswer> = await fetchPage(ports.ours, path)
      const other = await fetchPage<NaiveAnswer>(ports.theirs, `${list}&page=${page}`)
      deepStrictEqual(own.body.data, other.body.data, `category ${category}, page ${page}`)
      if (page === 1) await compareTotals(ports.ours, path, other.body.total)
      cursor = own.body.page.next
      if (own.body.data.length < PAGE_SIZE) break
      found.ours.push(own.address)
      found.theirs.push(other.address)
    }
    if (found.ours.length > before) found.categories++
  }
  return found
}

async function compareTotals(port: number, path: string, total: number): Promise<void> {
  const counted = await fetchPage<ListAnswer>(port, `${path}&total=true`)
  deepStrictEqual(counted.body.page.total, total, path)
}

interface CategoryTree {
  id: number
  children: CategoryTree[]
}

/** Ids of the categories without children: there ours, which answers for whole subtrees, means the same as a plain comparison. */
async function leafCategories(port: number): Promise<number[]> {
  const { body } = await fetchPage<{ data: CategoryTree[] }>(port, '/api/categories')
  const leavesOf = ({ id, children }: CategoryTree): number[] =>
    children.length > 0 ? children.flatMap(leavesOf) : [id]
  return body.data.flatMap(leavesOf)
}

/** The first page of the whole list, and one far behind it. */
export interface NearAndFar {
  near: Address
  far: Address
  /** Which page the far one is. */
  number: number
}

/** Walks the unfiltered list page by page to page `number`, or to the last full one of a shorter list, and checks that no row repeats. */
export async function walkTo(port: number, number: number): Promise<NearAndFar> {
  const list = `/api/products?limit=${PAGE_SIZE}`
  const first = await fetchPage<ListAnswer>(port, list)
  const seen = new Set<unknown>()
  let current = first
  for (let page = 1; ; page++) {
    for (const product of current.body.data) seen.add((product as { id: number }).id)
    if (seen.size !== page * PAGE_SIZE) throw new Error(`page ${page} repeats a row`)
    const { next } = current.body.page
    if (page === number || next === null) return { near: first.address, far: current.address, number: page }
    const following = await fetchPage<ListAnswer>(port, `${list}&cursor=${encodeURIComponent(next)}`)
    if (following.body.data.length < PAGE_SIZE) return { near: first.address, far: current.address, number: page }
    current = following
  }
}
