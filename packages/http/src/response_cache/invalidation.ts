import { backgroundError, toError } from '@tailwater/core'
import { headerText } from '../header.ts'
import { addressOf, cacheKey, keyOfLocation } from './cache_key.ts'
import type { CacheRequest, Forward } from './opening.ts'
import { type Ground, told } from './passage.ts'
import type { ResponseStore } from './response_store.ts'

/** Carried by all that is stored under an address, whichever user's. No surrogate key has a space in it. */
export function addressTag(key: string): string {
  return ADDRESS + addressOf(key)
}

const ADDRESS = 'address '

/** Whether a tag is an address's. */
export const isAddressTag = (tag: string): boolean => tag.startsWith(ADDRESS)

/** A request that changes something: what is stored of its address, and of those that its answer names, goes (RFC 9111, section 4.4). */
export function invalidating(ground: Ground, request: CacheRequest): Forward {
  const { store } = ground.options
  ground.counts.passed++
  const key = cacheKey(request)
  return {
    headers: request.headers,
    isShared: false,
    isWrite: true,
    async settle(response) {
      if (response.status >= 200 && response.status < 400) {
        const named = ['location', 'content-location'].flatMap((name) => {
          const location = headerText(response.headers, name)
          return location === undefined ? [] : (keyOfLocation(location, request) ?? [])
        })
        await invalidate(store, [key, ...named].map(addressTag))
      }
      return told(ground, response, { fwd: 'method', fwdStatus: response.status })
    },
    fail() {
      // An origin that broke off may have changed it all the same.
      void invalidate(store, [addressTag(key)])
      return undefined
    },
    abandon() {},
  }
}

/** What was changed is changed, whether the store can forget the old or not: the client is told of its success. */
async function invalidate(store: ResponseStore, tags: readonly string[]): Promise<void> {
  try {
    await store.invalidateTags(tags)
  } catch (error) {
    if (backgroundError.hasSubscribers)
      backgroundError.publish({ source: 'http response cache invalidation', error: toError(error) })
  }
}
