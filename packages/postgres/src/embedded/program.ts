import { spawn } from 'node:child_process'
import { parse } from 'node:path'
import { embeddedError, errnoOf } from './errors.ts'
import type { ServerUser } from './server_user.ts'

/** How a program of PostgreSQL ended, and what it said. */
export interface ProgramResult {
  status: number | undefined
  output: string
}

/** Messages in English, times in UTC, nothing of this process's environment. */
export const PROGRAM_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' }

/** How a program of the server's user is spawned: from a folder that everybody may be in. */
export function spawnIdentity(user: ServerUser) {
  return { cwd: parse(process.execPath).root, env: PROGRAM_ENVIRONMENT, ...user }
}

/**
 * Runs a program of PostgreSQL to its end.
 *
 * @throws E_EMBEDDED_BINARY when it cannot be executed at all
 */
export function runProgram(
  program: string,
  args: readonly string[],
  user: ServerUser,
  input = '',
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...spawnIdentity(user), stdio: ['pipe', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: string) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.once('error', (cause) => reject(cannotExecute(program, cause)))
    child.once('close', (status) => resolve({ status: status ?? undefined, output }))
    // A program that ends before it has read its input is no fault of its own.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** The error of a program that the system would not start. */
export function cannotExecute(program: string, cause: Error): Error {
  const errno = errnoOf(cause)
  const reasons: Record<string, string> = {
    ENOENT:
      'its loader is missing: it needs glibc, which Alpine Linux lacks; use a glibc image or set DATABASE_URL to a server',
    EACCES: "the server's user may not reach or execute it: let others pass through its parent folders (chmod o+x)",
  }
  return embeddedError(
    'E_EMBEDDED_BINARY',
    `cannot run ${program} (${errno}): ${reasons[errno ?? ''] ?? cause.message}`,
    { cause },
  )
}

/** The version of the installed server, such as `18.4`. */
export async function programVersion(postgres: string, user: ServerUser): Promise<string> {
  const { output } = await runProgram(postgres, ['-V'], user)
  const version = /\d+(?:\.\d+)+|\d+\w+/.exec(output)?.[0]
  if (!version) throw embeddedError('E_EMBEDDED_BINARY', `${postgres} does not run: ${lastLine(output)}`, { output })
  return version
}

/** The last line of a program's output that says anything. */
export function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.trim() || 'it said nothing'
}
