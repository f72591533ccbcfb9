import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { requireProgram } from '@tailwater/core/testing'
import { redisError } from '../errors.ts'

/**
 * Runs a program as long as this process lives: the shell's standard input ends with us, however we end, and then it
 * kills the program and takes its data away. A test that is killed leaves nothing behind.
 */
const GUARD = `exec 3<&0
"$@" 3<&- &
server=$!
echo "guarded $server"
(read -r _ <&3; kill -9 $server; rm -rf "$FOLDER") 2>/dev/null &
wait $server
code=$?
kill $! 2>/dev/null
exit $code`

/** A server process of a test. */
export interface ServerProcess {
  readonly pid: number
  readonly hasEnded: boolean
  /** SIGKILL, and its end. */
  kill(): Promise<void>
  /** SIGSTOP: it keeps its sockets and answers nothing. */
  freeze(): void
  thaw(): void
  /** The last lines it has printed. */
  output(): string
}

/** Starts `redis-server` with these arguments; does not wait until it listens. `folder` goes too if we are killed. */
export async function startProcess(args: readonly string[], folder: string): Promise<ServerProcess> {
  const program = requireProgram('redis-server', { debianPackage: 'redis-server' })
  const shell = spawn('/bin/sh', ['-c', GUARD, 'sh', program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, FOLDER: folder },
  })
  const lines: string[] = []
  const pid = await readPid(shell, lines)
  let hasEnded = false
  const ended = once(shell, 'exit').then(() => {
    hasEnded = true
  })
  // The pipe that guards the server must not keep the test running.
  shell.unref()
  for (const stream of [shell.stdin, shell.stdout, shell.stderr]) (stream as unknown as { unref(): void }).unref()
  const signal = (name: NodeJS.Signals) => {
    try {
      if (!hasEnded) process.kill(pid, name)
    } catch (error) {
      // Dead already; the shell has not told yet.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  return {
    pid,
    get hasEnded() {
      return hasEnded
    },
    async kill() {
      signal('SIGKILL')
      shell.ref()
      await ended
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    output: () => lines.slice(-20).join('\n'),
  }
}

function readPid(shell: ChildProcess, lines: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n').filter(Boolean)) {
        const pid = /^guarded (\d+)$/.exec(line)?.[1]
        if (pid) resolve(Number(pid))
        else lines.push(line)
      }
      lines.splice(0, lines.length - 100)
    }
    shell.stdout!.on('data', take)
    shell.stderr!.on('data', take)
    shell.once('error', reject)
    shell.once('exit', (code) =>
      reject(redisError('E_REDIS_UNAVAILABLE', `redis-server ended with ${code}: ${lines.join('; ')}`)),
    )
  })
}
