import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'rolldown/utils'

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** One source file, parsed. */
export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  path: string
  text: string
  program: Node
}

/** An ESTree node, as far as the checks look into it. */
export interface Node {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

/** Whether a value found in a node is a node itself. */
export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** The nodes directly below one. */
export function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isNode)
}

/** Paths of all files below a folder, relative to the root, without what is built or installed. */
export function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !/(^|\/)(node_modules|dist|dist-web|\.cache)\//.test(path))
    .sort()
}

/** The product's sources: what packages and apps ship, without tests. */
export function productSources(): SourceFile[] {
  return ['packages', 'apps']
    .flatMap((folder) => filesBelow(folder, /\.tsx?$/))
    .filter((path) => !/\/test\//.test(path) && !path.endsWith('.d.ts'))
    .map(parseSource)
}

/** Reads and parses one file. */
export function parseSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  return { path, text, program: program as unknown as Node }
}

/** What a file imports, types included: the specifiers as written. */
export function importsOf({ program }: SourceFile): string[] {
  const found: string[] = []
  const visit = (node: Node): void => {
    const source = node['source']
    if (/^(Import|Export)/.test(node.type) && isNode(source) && typeof source['value'] === 'string')
      found.push(source['value'])
    for (const child of childrenOf(node)) visit(child)
  }
  visit(program)
  return found
}
