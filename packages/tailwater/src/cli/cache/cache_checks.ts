import { newId, TailwaterError, toError } from '@tailwater/core'
import type { Answer } from '../command_family.ts'
import { type CacheTools, neededFar } from './cache_tools.ts'

/** Milliseconds that the probe's key would live if nobody deleted it. */
const PROBE_TTL = 60_000

interface Finding {
  part: string
  up: boolean
  ms: number
  error?: string
}

/** Whether what the caches share answers. */
export async function checkHealth({ far, bus, clock }: CacheTools): Promise<Answer> {
  const parts: [part: string, ask: () => Promise<unknown>][] = [
    ...(far ? [[`far tier (${far.name})`, () => far.ping()] as [string, () => Promise<unknown>]] : []),
    ['bus', () => bus.publish('cache-health', {})],
  ]
  const findings: Finding[] = []
  for (const [part, ask] of parts) {
    const begun = clock.elapsed()
    const error = await ask().then(
      () => undefined,
      (thrown: unknown) => toError(thrown).message,
    )
    const ms = Math.round((clock.elapsed() - begun) * 10) / 10
    findings.push({ part, up: error === undefined, ms, ...(error === undefined ? {} : { error }) })
  }
  const lines = findings.map(({ part, up, ms, error }) => `${part.padEnd(20)}${up ? `up, ${ms} ms` : `down: ${error}`}`)
  const isUp = findings.every(({ up }) => up)
  return { value: { up: isUp, parts: findings }, lines, code: isUp ? 0 : 1 }
}

/** Takes a key of its own through the far tier and back, by the store's own calls: no breaker hides what is slow or broken. */
export async function probe(tools: CacheTools): Promise<Answer> {
  const { entries, name } = neededFar(tools)
  const { clock } = tools
  const key = `default:tailwater-probe-${newId()}`
  const envelope = Buffer.from(newId())
  const steps: { step: string; ms: number }[] = []
  async function timed<T>(step: string, work: () => Promise<T>): Promise<T> {
    const begun = clock.elapsed()
    const result = await work()
    steps.push({ step, ms: Math.round((clock.elapsed() - begun) * 100) / 100 })
    return result
  }
  const [isWritten] = await timed('write', () => entries.write([{ key, envelope, ttl: PROBE_TTL }]))
  const [there] = await timed('read', () => entries.read([key]))
  await timed('delete', () => entries.invalidate([key]))
  const [gone] = await timed('read', () => entries.read([key]))
  if (!isWritten || !there?.envelope?.equals(envelope) || gone?.envelope !== undefined)
    throw new TailwaterError('E_CACHE_UNTOLD', `the far tier (${name}) does not give back what was written to it`)
  return {
    value: { backend: name, steps },
    lines: [...steps.map(({ step, ms }) => `${step.padEnd(8)}${ms} ms`), `The far tier (${name}) does as it should.`],
  }
}
