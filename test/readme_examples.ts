import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const root = dirname(import.meta.dirname)

/** A program from a page that is running and listening. */
export interface RunningExample {
  /** `http://127.0.0.1:…`, whatever port the program names. */
  url: string
  stop(): Promise<void>
}

/**
 * The programs of a page, by name: a block of code is a program when a file name follows its language,
 * as in ```` ```ts server.ts ````.
 *
 * @param page path from the root of the repository
 */
export async function programsOf(page: string): Promise<Map<string, string>> {
  const markdown = await readFile(join(root, page), 'utf8')
  return new Map([...markdown.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)].map((match) => [match[1]!, match[2]!]))
}

/** Lines of a program, empty ones included. */
export function lineCount(code: string): number {
  return code.trimEnd().split('\n').length
}

/**
 * Runs a program as it stands on the page, but for its port: a free one is taken.
 *
 * @throws what the program wrote to its error stream, when it ends before it listens
 */
export async function runExample(page: string, name: string): Promise<RunningExample> {
  const code = (await programsOf(page)).get(name)
  if (code === undefined) throw new Error(`${page} has no program ${name}`)
  const file = join(root, '.cache/readme', `${dirname(page).replaceAll('/', '_')}_${name}`)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, code)
  const child = fork(file, {
    execArgv: ['--conditions=@tailwater/source', '--import', join(root, 'test/readme_port.ts')],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const complaints: string[] = []
  child.stderr!.setEncoding('utf8').on('data', (text: string) => complaints.push(text))
  const exited = once(child, 'exit')
  const listening = once(child, 'message') as Promise<[{ port: number }]>
  const first = await Promise.race([listening, exited.then(() => undefined)])
  if (!first) throw new Error(`${name} of ${page} ended before it listened:\n${complaints.join('')}`)
  return {
    url: `http://127.0.0.1:${first[0].port}`,
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
