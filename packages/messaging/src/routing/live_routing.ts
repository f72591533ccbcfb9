import { createRouter, type Router } from './router.ts'
import type { RoutingStore } from './routing_table.ts'

/** The routes as they are now: reads the table again when its version has moved. */
export class LiveRouting {
  readonly #store: RoutingStore
  #router: Router | undefined

  constructor(store: RoutingStore) {
    this.#store = store
  }

  /** The router of everything that was declared before this call. */
  async now(): Promise<Router> {
    if (this.#router && this.#router.table.version === (await this.#store.version())) return this.#router
    this.#router = createRouter(await this.#store.read())
    return this.#router
  }
}
