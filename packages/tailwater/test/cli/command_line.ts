import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { runCommand } from '../../src/cli/run_command.ts'
import { describeStartFailure } from '../../src/process/start_failure.ts'

/** What a command came to. */
export interface Ran {
  code: number
  said: string
  complaints: string
  /** What `--json` printed. */
  json: never
}

/** Runs commands as a person would, in a folder with this configuration; what a failure says comes out as `tailwater` prints it. */
export function commandLine(config: object, environment: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-cli-'))
  after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'tailwater.config.mjs'), `export default ${JSON.stringify(config)}`)
  return async (...args: string[]): Promise<Ran> => {
    const lines: string[] = []
    const complaints: string[] = []
    const code = await runCommand(args, {
      folder,
      environment: { DATA_DIR: join(folder, 'data'), ...environment },
      terminal: { say: (line) => void lines.push(line), complain: (line) => void complaints.push(line) },
    }).catch((error: unknown) => {
      complaints.push(describeStartFailure(error))
      return 1
    })
    const said = lines.join('\n')
    const json = (args.includes('--json') && said !== '' ? JSON.parse(said) : undefined) as never
    return { code, said, complaints: complaints.join('\n'), json }
  }
}
