import type { MessagingBackend } from '../backend.ts'

/** A store on which a contract suite runs; its clauses use names of their own, so that one store is enough for all. */
export interface MessagingGround {
  /** A started backend on the store, as of one more process. What its consumers hold when they die should be given again within a few seconds. */
  open(): Promise<MessagingBackend>
  /** Makes the process of a backend die: nothing more of it reaches the store, and nobody says goodbye. It may be stopped afterwards. */
  crash(backend: MessagingBackend): Promise<void>
  /** Takes the store away, when all backends are stopped. */
  close(): Promise<void>
}
