import assert from 'node:assert/strict'
import { FakeClock } from '@tailwater/core/testing'
import type { FarBackend } from '../far/far_backend.ts'
import { createMemoryBackend } from '../far/memory_backend.ts'
import type { Clause, FarBackendUnderTest } from './subject.ts'

const KEYS = ['h:1', 'h:2', 'h:3']
const TOKENS = ['p', 'q']
const STEPS = 400
/** Milliseconds; far apart, so that what passes while the test runs decides nothing. */
const TIMES = [30_000, 90_000, 400_000]

/** One step of a history: what was done, and how to do it to a backend that has its own versions. */
interface Step {
  what: string
  run(backend: FarBackend, versions: string[]): Promise<unknown>
}

/** A random history has the same outcome in every store: that in memory, whose code is read most easily, is the model. */
export function historyClauses(clause: Clause): void {
  clause('a random history goes as it does in memory', async ({ backend, pass }) => {
    const seed = process.hrtime()[1]
    const random = lcg(seed)
    const clock = new FakeClock()
    const model: FarBackendUnderTest = {
      backend: createMemoryBackend({ clock }),
      pass: (ms) => clock.advance(ms),
      close: async () => {},
    }
    // Versions are opaque: the same step names them by when they were seen.
    const [ours, theirs]: [string[], string[]] = [[], []]
    const done: string[] = []
    for (let step = 0; step < STEPS; step++) {
      if (random() < 0.1) {
        const ms = pick(random, TIMES) + 5_000
        done.push(`pass ${ms}`)
        await Promise.all([model.pass(ms), pass(ms)])
        continue
      }
      const { what, run } = nextStep(random, ours.length, step)
      done.push(what)
      const [expected, actual] = [await run(model.backend, ours), await run(backend, theirs)]
      assert.deepEqual(actual, expected, `seed ${seed}, last steps: ${done.slice(-12).join('; ')}`)
    }
  })
}

function nextStep(random: () => number, seen: number, step: number): Step {
  const key = pick(random, KEYS)
  const token = pick(random, TOKENS)
  const ttl = pick(random, TIMES)
  // Mostly a version seen a moment ago, or most writes would be refused.
  const at = Math.max(0, seen - 1 - Math.floor(random() ** 2 * 12))
  const steps: Step[] = [
    {
      what: `read ${key}`,
      async run({ entries }, versions) {
        const [reading] = await entries.read([key])
        versions.push(reading!.version)
        return [reading!.envelope?.toString(), versions.indexOf(reading!.version)]
      },
    },
    {
      what: `write ${key} ${ttl} if ${at} by ${token}`,
      run: ({ entries }, versions) =>
        entries.write([
          {
            key,
            envelope: Buffer.from(`step ${step}`),
            ttl,
            ...(step % 5 !== 0 && { expected: versions[at]! }),
            ...(step % 2 === 0 && { lease: token }),
          },
        ]),
    },
    { what: `invalidate ${key}`, run: ({ entries }) => entries.invalidate([key]) },
    { what: `touch ${key} ${at}`, run: ({ entries }, versions) => entries.touch(key, versions[at]!, ttl) },
    {
      what: `acquire ${key} ${at} by ${token}`,
      run: ({ leases }, versions) => leases.acquire([{ key, seen: versions[at]!, token }], ttl),
    },
    { what: `renew ${key} by ${token}`, run: ({ leases }) => leases.renew(key, token, ttl) },
    { what: `release ${key} by ${token}`, run: ({ leases }) => leases.release(key, token) },
  ]
  if (seen === 0) return steps[0]!
  // Reading and writing more often than the rest.
  return random() < 0.4 ? steps[random() < 0.5 ? 0 : 1]! : pick(random, steps)
}

const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)]!

/** Park and Miller's minimal standard generator: the same numbers for the same seed. */
function lcg(seed: number): () => number {
  let state = (seed % 2147483646) + 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}
