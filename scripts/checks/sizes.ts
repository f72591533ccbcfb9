// Prints how large files, functions and classes are, and refuses those over the maxima.
import { childrenOf, isNode, type Node, type SourceFile } from './sources.ts'

const MAX_FILE_LINES = 400
const MAX_FUNCTION_LINES = 60
const MAX_PUBLIC_METHODS = 15

interface Measured {
  path: string
  name: string
  lines: number
}

/** Faults in sizes; the figures are printed. */
export function checkSizes(sources: readonly SourceFile[]): string[] {
  const files = sources.map((source) => ({
    path: source.path,
    name: source.path,
    lines: source.text.split('\n').length - 1,
  }))
  const functions = sources.flatMap(functionsOf)
  console.log(`    files      ${figures(files)} (most allowed ${MAX_FILE_LINES})`)
  console.log(`    functions  ${figures(functions)} (most allowed ${MAX_FUNCTION_LINES})`)
  return [
    ...files.filter((file) => file.lines > MAX_FILE_LINES).map((file) => `${file.path} has ${file.lines} lines`),
    ...functions
      .filter((one) => one.lines > MAX_FUNCTION_LINES)
      .map((one) => `${one.path}: ${one.name} has ${one.lines} lines`),
    ...sources.flatMap(wideClasses),
  ]
}

function figures(measured: readonly Measured[]): string {
  const lines = measured.map((one) => one.lines).sort((a, b) => a - b)
  const at = (share: number) => lines[Math.min(lines.length - 1, Math.floor(lines.length * share))]
  const largest = measured.find((one) => one.lines === lines.at(-1))
  return `${lines.length}, lines: median ${at(0.5)}, p90 ${at(0.9)}, largest ${lines.at(-1)} (${largest?.path})`
}

/**
 * Every function with a name or without, by its own lines: what nested functions take is theirs. Otherwise a
 * factory that closes over its state would count as one giant, where a class with the same parts would not.
 */
function functionsOf(source: SourceFile): Measured[] {
  const found: Measured[] = []
  const visit = (node: Node, name: string): number => {
    const label = nameOf(node) ?? name
    const isFunction = /Function(Declaration|Expression)$/.test(node.type)
    const inner = childrenOf(node).reduce((total, child) => total + visit(child, label), 0)
    if (!isFunction) return inner
    const all = linesBetween(source.text, node)
    found.push({ path: source.path, name: label || 'an anonymous function', lines: all - inner })
    return all
  }
  visit(source.program, '')
  return found
}

function nameOf(node: Node): string | undefined {
  const named = node['id'] ?? node['key']
  return isNode(named) && typeof named['name'] === 'string' ? named['name'] : undefined
}

/** Lines of a node. SQL in template literals is data beside the code, and counts as the line it begins on. */
function linesBetween(text: string, node: Node): number {
  return text.slice(node.start, node.end).split('\n').length - textLines(text, node)
}

function textLines(text: string, node: Node): number {
  if (node.type === 'TemplateLiteral') return text.slice(node.start, node.end).split('\n').length - 1
  return childrenOf(node).reduce((total, child) => total + textLines(text, child), 0)
}

function wideClasses(source: SourceFile): string[] {
  const faults: string[] = []
  const visit = (node: Node): void => {
    if (node.type === 'ClassBody') {
      const methods = (node['body'] as Node[]).filter(isPublicMethod).length
      if (methods > MAX_PUBLIC_METHODS)
        faults.push(`${source.path}: a class has ${methods} public methods (most allowed ${MAX_PUBLIC_METHODS})`)
    }
    for (const child of childrenOf(node)) visit(child)
  }
  visit(source.program)
  return faults
}

function isPublicMethod(member: Node): boolean {
  const key = member['key']
  return (
    member.type === 'MethodDefinition' && member['kind'] === 'method' && isNode(key) && key.type !== 'PrivateIdentifier'
  )
}
