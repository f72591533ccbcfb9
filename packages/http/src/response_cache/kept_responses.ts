import { headerText } from '../header.ts'
import type { Ground } from './passage.ts'
import { freshFor } from './policy.ts'
import { bytesOf, type StoredResponse } from './stored_response.ts'

/** What is kept under one key, without the bodies, which are nobody's but the client's. */
export interface KeptDescription {
  /** Of all responses together, roughly. */
  bytes: number
  /** Milliseconds; negative when stale. Of the newest response. */
  freshFor: number
  /** Milliseconds until it is of no more use. */
  usableFor: number
  /** Surrogate keys. */
  tags: readonly string[]
  /** By what `Vary` tells apart, the newest first. */
  responses: readonly { status: number; type: string | undefined; vary: readonly string[]; bytes: number }[]
}

/** Describes what is kept under a key, which begins with an address; undefined when there is nothing. */
export async function describeKept({ options }: Ground, key: string): Promise<KeptDescription | undefined> {
  const { variants } = await options.store.read(key)
  const [newest] = variants
  if (!newest) return undefined
  const fresh = freshFor(newest.policy, options.clock.now())
  const { staleWhileRevalidate, staleIfError = options.staleIfError } = newest.policy
  return {
    bytes: variants.reduce((sum, one) => sum + bytesOf(one), 0),
    freshFor: Math.round(fresh),
    usableFor: Math.round(fresh + Math.max(options.keepStale, staleWhileRevalidate, staleIfError)),
    tags: [...new Set(variants.flatMap(({ tags }) => tags))],
    responses: variants.map(shown),
  }
}

function shown(stored: StoredResponse) {
  const { status, headers, vary, body } = stored
  return { status, type: headerText(headers, 'content-type'), vary, bytes: body.length }
}
