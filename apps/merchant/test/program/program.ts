import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A running merchant, as its operator sees it. */
export interface Program {
  child: ChildProcess
  /** Everything printed so far. */
  output(): string
  /** Resolves with the first match of what it prints; rejects when it ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves to the exit code, or the signal's name. */
  ended: Promise<number | string>
}

/** A folder of the test's own that an unprivileged server may enter too. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'tailwater-program-'))
  chmodSync(path, 0o755)
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Starts the merchant in a process of its own, on a free port unless the environment says otherwise. */
export function startProgram(
  environment: Record<string, string>,
  { args = [], ...identity }: { args?: string[]; uid?: number; gid?: number } = {},
): Program {
  const child = spawn(process.execPath, ['--conditions=@tailwater/source', main, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), PORT: '0', LOG_FORMAT: 'json', ...environment },
    cwd: tmpdir(),
    ...identity,
  })
  let text = ''
  const collect = (chunk: Buffer) => {
    text += chunk.toString()
    child.emit('said')
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  async function says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(text)
      if (match) return match
      const over = await Promise.race([once(child, 'said').then(() => false), ended.then(() => true)])
      if (over && !pattern.test(text))
        throw new Error(`the program ended without saying ${pattern}:\n${text.slice(-2_000)}`)
    }
  }
  return { child, output: () => text, says, ended }
}
