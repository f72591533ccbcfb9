declare module 'http-cache-tests/client/runner.mjs' {
  import type { Suite } from 'http-cache-tests/tests/index.mjs'
  export function runTests(tests: readonly Suite[], fetch: unknown, browserCache: boolean, base: string): Promise<void>
  export function getResults(): Record<string, true | [kind: string, why: string]>
}
declare module 'http-cache-tests/tests/index.mjs' {
  export type Kind = 'required' | 'optimal' | 'check'
  export interface Suite {
    id: string
    tests: readonly { id: string; name: string; kind?: Kind; depends_on?: readonly string[]; browser_only?: boolean }[]
  }
  const tests: readonly Suite[]
  export default tests
}
declare module 'http-cache-tests/tests/surrogate-control.mjs' {
  import type { Suite } from 'http-cache-tests/tests/index.mjs'

  const suite: Suite
  export default suite
}
declare module 'node-fetch' {
  const fetch: unknown
  export default fetch
}
