import { spawn } from 'node:child_process'
import { parse } from 'node:path'
import { embeddedError, errnoOf } from './errors.ts'
import { SETPRIV, type ServerUser, unreachable } from './server_user.ts'

/** How a program of PostgreSQL ended, and what it said. */
export interface ProgramResult {
  status: number | undefined
  output: string
}

/** Messages in English, times in UTC, and nothing of this process's environment. */
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' }

/**
 * The one privilege of a server behind a closed folder: it may pass through, and read what it finds. Without
 * `no_setuid_fixup`, access(2), by which PostgreSQL looks for its own programs, would leave the privilege out of account.
 */
const PASSAGE = [
  '--securebits=+no_setuid_fixup',
  '--inh-caps=-all,+dac_read_search',
  '--ambient-caps=-all,+dac_read_search',
  '--bounding-set=-all,+dac_read_search',
]

/** How a program is spawned as the server's user, from a folder that everybody may be in. */
export function asServerUser(user: ServerUser | undefined, program: string, args: readonly string[]) {
  const options = { cwd: parse(process.execPath).root, env: ENVIRONMENT, windowsHide: true }
  if (!user) return { program, args, options }
  const { uid, gid, closed } = user
  if (closed === undefined) return { program, args, options: { ...options, uid, gid } }
  return {
    program: SETPRIV,
    args: [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...PASSAGE, program, ...args],
    options,
  }
}

/**
 * Runs a program of PostgreSQL to its end.
 *
 * @throws E_EMBEDDED_BINARY when it cannot be executed at all
 */
export function runProgram(
  program: string,
  args: readonly string[],
  user: ServerUser | undefined,
): Promise<ProgramResult> {
  const command = asServerUser(user, program, args)
  return new Promise((resolve, reject) => {
    const child = spawn(command.program, command.args, { ...command.options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: string) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.once('error', (cause) => reject(cannotExecute(program, cause)))
    child.once('close', (status) => resolve({ status: status ?? undefined, output }))
  })
}

/** The error of a program that the system would not start. */
export function cannotExecute(program: string, cause: Error): Error {
  const errno = errnoOf(cause)
  const reasons: Record<string, string> = {
    ENOENT: 'its loader is missing, which is glibc: use an image with glibc, or set DATABASE_URL to a server',
    EACCES: 'it may not be executed: chmod +x it, and let its user pass through the folders above it',
  }
  const reason = reasons[errno ?? ''] ?? cause.message
  return embeddedError('E_EMBEDDED_BINARY', `cannot run ${program} (${errno}): ${reason}`, { cause })
}

/**
 * The version of the installed server, such as `18.4`, by running it: that shows as well that its user reaches it and
 * that its libraries are there.
 *
 * @throws E_EMBEDDED_BINARY, E_EMBEDDED_FOLDER_UNREACHABLE
 */
export async function programVersion(postgres: string, user: ServerUser | undefined): Promise<string> {
  const { output } = await runProgram(postgres, ['-V'], user)
  const version = /\d+(?:\.\d+)+|\d+\w+/.exec(/^postgres \(PostgreSQL\) .*/m.exec(output)?.[0] ?? '')?.[0]
  if (version) return version
  // In a container root itself may lack the privilege, and then cannot give it.
  if (user?.closed && /^setpriv:/m.test(output)) throw unreachable(user.closed, user)
  throw embeddedError('E_EMBEDDED_BINARY', `${postgres} does not run: ${lastLine(output)}`, { output })
}

/** The last line of a program's output that says anything. */
export function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.trim() || 'it said nothing'
}
