import type { ResponsePolicy } from './policy.ts'

/** A whole response as it is kept. Never changed: a 304 makes a new one. */
export interface StoredResponse {
  readonly status: number
  /** End-to-end headers by lower-case name; without `Age`. */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer
  readonly policy: ResponsePolicy
  /** Selecting request headers, and the values of the request that brought it (`selectingValues`). */
  readonly vary: readonly string[]
  readonly selected: string
  readonly tags: readonly string[]
}

/** Bytes that it takes, roughly: body, texts, and what any entry costs. */
export function bytesOf(stored: StoredResponse): number {
  const names = [...stored.vary, ...stored.tags].reduce((sum, name) => sum + name.length * 2 + 32, 0)
  let bytes = stored.body.length + stored.selected.length * 2 + names + 512
  for (const [name, value] of Object.entries(stored.headers)) bytes += name.length + String(value).length * 2 + 32
  return bytes
}

/** What is kept under one key: the variants that `Vary` tells apart, the newest first. */
export type Variants = readonly StoredResponse[]

/** Variants of one key at most; a header with a value for each user would otherwise fill the store under one address. */
export const MAX_VARIANTS = 16
