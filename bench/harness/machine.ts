import { readFileSync } from 'node:fs'
import { arch, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { root } from './project.ts'

/** One line about the machine: its cores, memory and system. */
export function describeMachine(): string {
  const cores = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cores.length} x ${cores[0]?.model.trim() ?? arch()}, ${memory} GiB, ${type()} ${release()}`
}

/** Versions of packages that are installed: a peer's below `bench`, everything else's at the root. */
export function packageVersions(names: readonly string[], folder: 'bench' | '.'): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, versionOf(join(root, folder, 'node_modules', name))]))
}

function versionOf(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return (manifest as { version: string }).version
}
