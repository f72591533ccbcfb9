import type { JobsBackend } from '../backend.ts'

/** How much goes wrong. */
export interface ChaosOptions {
  /** The same numbers for the same seed. */
  seed: number
  /** Share of calls that fail, from 0 to 1; half of them before anything was done, half after it: then only the reply is lost. @default 0.2 */
  losses?: number
}

/**
 * A backend whose connection fails now and then, before a call or after it, so that nobody can tell which.
 *
 * @example
 * const jobs = createJobs({ backend: chaos(createMemoryBackend(), { seed: 7 }) })
 */
export function chaos(backend: JobsBackend, { seed, losses = 0.2 }: ChaosOptions): JobsBackend {
  const random = generator(seed)

  function unsteady<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver)
        if (typeof member !== 'function' || untouched.has(name)) return member
        return async (...given: unknown[]) => {
          const draw = random()
          if (draw < losses / 2) throw new Error(`${String(name)}: the connection was lost before the call`)
          const reply: unknown = await Reflect.apply(member, target, given)
          if (draw < losses) throw new Error(`${String(name)}: the reply was lost`)
          return reply
        }
      },
    })
  }

  const { jobs, work, maintain, schedules } = backend
  return {
    ...backend,
    jobs: unsteady(jobs),
    work: unsteady(work),
    maintain: unsteady(maintain),
    schedules: unsteady(schedules),
  }
}

/** What an engine does when it starts: a start that fails is a test of its own. */
const untouched: ReadonlySet<string | symbol> = new Set(['onAvailable', 'configure', 'put'])

/** Park and Miller's minimal standard generator. */
function generator(seed: number): () => number {
  let state = (seed % 2147483646) + 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}
