/** One address that is asked for, and the answer it must give. */
export interface Address {
  /** With query string. */
  path: string
  /** Length of the body in bytes. */
  bytes: number
  /** SHA-256 of the body, base64. */
  digest: string
}

/** What a load process is to do. */
export interface LoadPlan {
  /** On 127.0.0.1. */
  port: number
  /** Each connection has one request under way at any time: a closed loop. */
  connections: number
  /** Chosen from at random. */
  addresses: readonly Address[]
  /** Milliseconds before anything is counted. */
  warmUp: number
  /** Milliseconds that are counted. */
  measure: number
  seed: number
}

/** What came of it. */
export interface LoadOutcome {
  /** In the counted time. */
  requests: number
  /** In the whole run, warm-up and drain included. */
  answered: number
  requestsPerSecond: number
  /** Milliseconds. */
  p50: number
  p95: number
  p99: number
  max: number
  /** Received in the counted time, heads included. */
  bytes: number
  /** Responses of another status than 200, of another length than known, or with another body; none may be. */
  wrong: number
  /** What the first wrong one was. */
  firstWrong: string | undefined
  /** Bodies compared with what was known of them. */
  bodiesChecked: number
  /** CPU time of the load process as a share of the counted time. */
  cpuShare: number
}
