import type { SqlExecutor } from '@tailwater/postgres'

/** What is needed of Prisma: the client of an interactive `$transaction`. */
export interface PrismaTransaction {
  $queryRawUnsafe(text: string, ...values: unknown[]): PromiseLike<unknown>
}

/**
 * An interactive transaction of Prisma; the form that takes an array of promises cannot carry others' statements.
 *
 * @example
 * await prisma.$transaction((tx) => receipt.enqueue({ orderId }, { tx: prismaTransaction(tx) }))
 */
export function prismaTransaction(tx: PrismaTransaction): SqlExecutor {
  return {
    async query(text, values = []) {
      return { rows: (await tx.$queryRawUnsafe(text, ...values)) as unknown[] }
    },
  }
}
