import type { ClaimedJob, JobEnd } from '../../job.ts'

/**
 * What this process has been given, by worker, to be compared with what the server says it has given.
 *
 * The engine reconciles after a turn that failed. But in a cluster the driver repeats a command whose master died: if its successor knows of what the first one
 * claimed, that is in no reply. Then the server counts more jobs of the worker than this ledger, and the next turn says what is known here.
 */
export interface Ledger {
  /** What the worker holds as far as is known here, if the server's count was another and no turn of it is under way. */
  doubted(worker: string): string[] | undefined
  /** Begins a turn. @param ids what the worker itself says that it holds */
  open(worker: string, ids: readonly string[] | undefined): LedgerTurn
  forget(worker: string): void
}

/** One turn. */
export interface LedgerTurn {
  /** Counts a turn that was answered. @param reply.held how many jobs the server says the worker holds */
  settle(
    ends: readonly JobEnd[],
    reply: { claimed: readonly ClaimedJob[]; lost: readonly string[]; held: number },
  ): void
  /** It was answered, or failed. */
  close(): void
}

interface Page {
  held: Set<string>
  /** The server counts otherwise. */
  isDoubted: boolean
  /** Turns under way. */
  turns: number
}

/** Makes an empty ledger. */
export function createLedger(): Ledger {
  const pages = new Map<string, Page>()

  return {
    doubted(worker) {
      const page = pages.get(worker)
      return page?.isDoubted && page.turns === 0 ? [...page.held] : undefined
    },
    open(worker, ids) {
      const page: Page = pages.get(worker) ?? { held: new Set(), isDoubted: false, turns: 0 }
      pages.set(worker, page)
      if (ids) page.held = new Set(ids)
      page.turns++
      const { held } = page
      return {
        settle(ends, reply) {
          for (const { id } of ends) held.delete(id)
          for (const id of reply.lost) held.delete(id)
          for (const { id } of reply.claimed) held.add(id)
          page.isDoubted = held.size !== reply.held
        },
        close: () => void page.turns--,
      }
    },
    forget: (worker) => void pages.delete(worker),
  }
}
