// Keeps the picture in docs/architecture.md true: a package imports only rows below its own, plus the sideways arrows, and files form no cycles.
import { posix } from 'node:path'
import { importsOf, type SourceFile } from './sources.ts'

const rows = [
  ['core'],
  ['postgres', 'redis'],
  ['cache', 'jobs', 'messaging', 'telemetry', 'exports', 'images'],
  ['http', 'cluster', 'dashboard'],
  ['tailwater'],
]
const sideways = new Set(['messaging>jobs', 'dashboard>http'])
const rowOf = new Map(rows.flatMap((row, depth) => row.map((name) => [name, depth] as const)))

const mayImport = (from: string, to: string) =>
  from === to || (rowOf.get(to) ?? 99) < (rowOf.get(from) ?? -1) || sideways.has(`${from}>${to}`)

/** Faults in who imports whom. */
export function checkLayers(sources: readonly SourceFile[]): string[] {
  return [...sources.flatMap(layerFaults), ...cycleFaults(sources)]
}

function layerFaults(source: SourceFile): string[] {
  const [kind, from] = source.path.split('/') as [string, string]
  if (kind === 'packages' && !rowOf.has(from))
    return [
      `packages/${from} is in no row: add it to the picture in docs/architecture.md and to scripts/checks/layers.ts`,
    ]
  return importsOf(source).flatMap((specifier) => {
    if (specifier.startsWith('.')) return reachesOut(source, specifier, from)
    const to = specifier === 'tailwater' ? 'tailwater' : /^@tailwater\/([a-z]+)/.exec(specifier)?.[1]
    if (!to || kind === 'apps' || mayImport(from, to)) return []
    return [`${source.path} imports ${specifier}, but ${from} may not import ${to}`]
  })
}

function reachesOut(source: SourceFile, specifier: string, from: string): string[] {
  const target = posix.join(posix.dirname(source.path), specifier)
  return target.split('/')[1] === from ? [] : [`${source.path} reaches into another package by path: ${specifier}`]
}

/** Each cycle once, by depth-first search; type imports count, because a reader follows them too. */
function cycleFaults(sources: readonly SourceFile[]): string[] {
  const known = new Set(sources.map((source) => source.path))
  const edges = new Map(sources.map((source) => [source.path, localImports(source).filter((path) => known.has(path))]))
  const faults: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      faults.push(`import cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`)
      return
    }
    if (done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of known) visit(path, [])
  return faults
}

function localImports(source: SourceFile): string[] {
  return importsOf(source)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(posix.dirname(source.path), specifier))
}
