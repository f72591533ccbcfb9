/** How the shop of the benchmark is opened. */
export interface ShopPlan {
  databaseUrl: string
  redisUrl: string
  /** Values that the near tier may hold. */
  nearEntries: number
}

/** Where the products that were asked for came from. Milliseconds are the server's own, from the head of a request to the end of its answer. */
export interface ServedReport {
  reads: number
  near: number
  far: number
  stale: number
  source: number
  writes: number
  nearP95: number
  farP95: number
  sourceP95: number
}

/** What the load process is to do. */
export interface ZipfPlan {
  port: number
  /** Of an administrator, who may change every product. */
  token: string
  /** The product asked for most first. */
  ids: readonly number[]
  exponent: number
  /** Of all requests. */
  writes: number
  connections: number
  /** Milliseconds. */
  measure: number
  seed: number
}

/** What came of it. */
export interface ZipfOutcome {
  requests: number
  requestsPerSecond: number
  /** Milliseconds, as a client sees it. */
  readP95: number
  writeP95: number
  /** Different products that were asked for. */
  products: number
  /** Reads that showed an older version than a change that had been answered before they began; none may be. */
  outdated: number
  /** Answered with 503 by the protection from overload. */
  refused: number
  wrong: number
}
