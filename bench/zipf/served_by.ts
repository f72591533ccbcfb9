import type { CacheAccessEvent, HttpRequestEvent } from '@tailwater/core'
import type { ServedReport } from './zipf_plan.ts'

const PRODUCT = '/api/products/:id'

/** Where the products of requests came from, and how long each request took in the server. */
export class ServedBy {
  readonly #under = new Map<string, CacheAccessEvent['tier'] | 'stale'>()
  readonly #near: number[] = []
  readonly #far: number[] = []
  readonly #source: number[] = []
  readonly #writes: number[] = []
  #stale = 0

  accessed({ requestId, cache, outcome, tier }: CacheAccessEvent): void {
    if (cache === 'product' && requestId !== undefined) this.#under.set(requestId, outcome === 'stale' ? 'stale' : tier)
  }

  answered({ requestId, route, method, ms, status }: HttpRequestEvent): void {
    const tier = this.#under.get(requestId)
    this.#under.delete(requestId)
    if (route !== PRODUCT || status !== 200) return
    if (method !== 'GET') this.#writes.push(ms)
    else if (tier === 'near') this.#near.push(ms)
    else if (tier === 'far') this.#far.push(ms)
    else if (tier === 'stale') this.#stale++
    else this.#source.push(ms)
  }

  report(): ServedReport {
    const { length: near } = this.#near
    const { length: far } = this.#far
    const { length: source } = this.#source
    return {
      reads: near + far + source + this.#stale,
      near,
      far,
      stale: this.#stale,
      source,
      writes: this.#writes.length,
      nearP95: p95(this.#near),
      farP95: p95(this.#far),
      sourceP95: p95(this.#source),
    }
  }
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN
}
