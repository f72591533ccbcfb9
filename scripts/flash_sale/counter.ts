import { databaseQuery, listen } from '@tailwater/core'
import { type Database, statement } from '@tailwater/postgres'

/** The one product of the sale. */
export interface OnSale {
  title: string
  left: number
}

const READ = statement('flash_sale_read', 'SELECT title, left_over AS left FROM flash_sale WHERE id = 1')

/** How many pieces there are at the start. */
const PIECES = 1_000

/** Where the product of the sale is kept; counts how often it is read. */
export class Counter {
  reads = 0
  readonly #database: Database
  readonly #unlisten: () => void
  /** How many pieces were left after each sale, and when it was committed. */
  readonly #sales: { left: number; at: number }[] = [{ left: PIECES, at: 0 }]

  constructor(database: Database) {
    this.#database = database
    this.#unlisten = listen(databaseQuery, ({ name }) => {
      if (name === READ.name) this.reads++
    })
  }

  async open(): Promise<void> {
    await this.#database.query(`CREATE TABLE IF NOT EXISTS flash_sale (id int PRIMARY KEY, title text, left_over int)`)
    await this.#database.query(
      `INSERT INTO flash_sale VALUES (1, 'Garden lantern', ${PIECES}) ON CONFLICT (id) DO UPDATE SET left_over = ${PIECES}`,
    )
  }

  /** Reads the product, through the connection of whoever asks. */
  async read(database: Database): Promise<OnSale> {
    const { rows } = await database.query<OnSale>(READ)
    return rows[0]!
  }

  /** Sells a piece. @param tell runs within the transaction */
  async sell(tell: (tx: object) => Promise<void>): Promise<void> {
    const left = await this.#database.transaction(async (tx) => {
      const { rows } = await tx.query<{ left: number }>(
        'UPDATE flash_sale SET left_over = left_over - 1 WHERE id = 1 RETURNING left_over AS left',
      )
      await tell(tx)
      return rows[0]!.left
    })
    this.#sales.push({ left, at: performance.now() })
  }

  /** By how many milliseconds an answer was out of date for a shopper who asked at a time. */
  age({ left }: OnSale, askedAt: number): number {
    const missed = this.#sales.find((sale) => sale.left < left)
    return missed ? Math.max(0, askedAt - missed.at) : 0
  }

  close(): void {
    this.#unlisten()
  }
}
