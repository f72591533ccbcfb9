import { toError } from '@tailwater/core'
import { type GuardedProcess, requireProgram, startGuarded } from '@tailwater/core/testing'
import { redisError } from '../errors.ts'

/** A server process of a test. */
export interface ServerProcess extends Pick<GuardedProcess, 'pid' | 'hasEnded' | 'kill' | 'output'> {
  /** SIGSTOP: it keeps its sockets and answers nothing. */
  freeze(): void
  thaw(): void
}

/** Starts `redis-server` with these arguments; does not wait until it listens. `folder` goes too if we are killed. */
export async function startProcess(args: readonly string[], folder: string): Promise<ServerProcess> {
  const program = requireProgram('redis-server', { debianPackage: 'redis-server' })
  const guarded = await startGuarded([program, ...args], { folder }).catch((error: unknown) => {
    throw redisError('E_REDIS_UNAVAILABLE', `redis-server: ${toError(error).message}`)
  })
  return {
    pid: guarded.pid,
    get hasEnded() {
      return guarded.hasEnded
    },
    kill: () => guarded.kill(),
    freeze: () => guarded.signal('SIGSTOP'),
    thaw: () => guarded.signal('SIGCONT'),
    output: () => guarded.output(),
  }
}
