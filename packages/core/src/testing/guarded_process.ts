import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a program as long as this process lives: the shell's standard input ends with us, however we end, and then it kills the program
 * and takes its folder away. A test that is killed leaves nothing behind.
 */
const GUARD = `exec 3<&0
"$@" 3<&- </dev/null &
server=$!
echo "guarded $server"
(read -r _ <&3; kill -9 $server; [ -n "$FOLDER" ] && sleep 1 && rm -rf "$FOLDER") 2>/dev/null &
wait $server
code=$?
kill $! 2>/dev/null
exit $code`

/** A program that ends with the test's process. */
export interface GuardedProcess {
  readonly pid: number
  readonly hasEnded: boolean
  /** SIGKILL, and its end. */
  kill(): Promise<void>
  signal(name: NodeJS.Signals): void
  /** The last lines that it has printed. */
  output(): string
}

/**
 * Starts a program under guard; does not wait until it is ready.
 *
 * @param options.env beside that of this process
 * @param options.folder goes too if we are killed
 * @throws Error with what it has printed, when it ends at once
 */
export async function startGuarded(
  command: readonly string[],
  { env = {}, folder = '' }: { env?: Record<string, string>; folder?: string } = {},
): Promise<GuardedProcess> {
  const shell = spawn('/bin/sh', ['-c', GUARD, 'sh', ...command], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env, FOLDER: folder },
  })
  const lines: string[] = []
  const pid = await readPid(shell, lines)
  let hasEnded = false
  const ended = once(shell, 'exit').then(() => {
    hasEnded = true
  })
  // The pipe that guards the program must not keep the test running.
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
    signal,
    output: () => lines.slice(-30).join('\n'),
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
      lines.splice(0, Math.max(0, lines.length - 100))
    }
    shell.stdout!.on('data', take)
    shell.stderr!.on('data', take)
    shell.once('error', reject)
    shell.once('exit', (code) => reject(new Error(`the program ended with ${code}: ${lines.join('; ')}`)))
  })
}
