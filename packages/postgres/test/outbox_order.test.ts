// Order is the outbox's hardest promise, so it is tried on random schedules of transactions that overlap. Each step is awaited: a failing
// schedule fails again with the seed that fast-check prints.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@tailwater/core'
import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import fc from 'fast-check'
import pg from 'pg'
import { Line } from '../src/outbox/line.ts'
import { createSequencer, type Sequencer } from '../src/outbox/sequencer.ts'
import { outboxSql } from '../src/outbox/sql.ts'

const WRITERS = 4
const PROCESSES = 2

/** `undo` appends within a savepoint that is rolled back. */
type Writing = 'append' | 'undo' | 'commit' | 'rollback'
type Step =
  | { kind: Writing; writer: number }
  | { kind: 'line'; process: number }
  | { kind: 'read'; process: number }
  | { kind: 'broadcast' }

const writer = fc.nat(WRITERS - 1)
const process = fc.nat(PROCESSES - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), writer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const), writer }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('rollback' as const, 'undo' as const), writer }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('line' as const), process }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('read' as const), process }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'broadcast' as const }) },
)

describe('the line of the outbox', () => {
  let home: TestSchema
  let clients: pg.Client[]
  before(async () => {
    home = await createTestSchema({ modules: [tailwaterMigrations] })
    clients = await Promise.all(
      Array.from({ length: WRITERS }, async () => {
        const client = new pg.Client({ connectionString: home.url })
        await client.connect()
        return client
      }),
    )
  })
  after(async () => {
    await Promise.all(clients.map((client) => client.end()))
    await home.close()
  })

  it('has every committed row once, none of another, and lets no reader miss one', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const world = await World.open(home, clients)
      for (const one of steps) await world.take(one)
      await world.end()
    })
    await fc.assert(property, { numRuns: 40 })
  })
})

/** What is known of a row by whoever wrote it. */
interface Row {
  payload: string
  /** Steps of the schedule: when it was inserted, and when its transaction had committed. */
  insertedAt: number
  committedAt: number
}

class World {
  readonly #home: TestSchema
  readonly #clients: pg.Client[]
  readonly #sql: ReturnType<typeof outboxSql>
  readonly #sequencers: Sequencer[]
  /** Rows of open transactions, by writer; undefined where none is open. */
  readonly #open: (Row[] | undefined)[]
  readonly #committed: Row[] = []
  /** What each process has read, and up to where. */
  readonly #read: { position: bigint; payloads: string[] }[]
  #step = 0

  constructor(home: TestSchema, clients: pg.Client[]) {
    this.#home = home
    this.#clients = clients
    this.#sql = outboxSql(home.schema)
    this.#open = clients.map(() => undefined)
    this.#read = Array.from({ length: PROCESSES }, () => ({ position: 0n, payloads: [] }))
    this.#sequencers = this.#read.map(() => createSequencer(home.database, this.#sql, new Line(), systemClock))
  }

  static async open(home: TestSchema, clients: pg.Client[]): Promise<World> {
    for (const client of clients) await client.query('ROLLBACK')
    await home.database.query(`TRUNCATE ${home.schema}.outbox, ${home.schema}.outbox_consumers`)
    await home.database.query(
      `INSERT INTO ${home.schema}.outbox_consumers (name, topics, position, epoch) VALUES ('reader', '{%}', 0, 0)`,
    )
    return new World(home, clients)
  }

  async take(step: Step): Promise<void> {
    this.#step++
    if (step.kind === 'line') await this.#sequencers[step.process]!.run()
    else if (step.kind === 'read') await this.#readOn(step.process)
    else if (step.kind === 'broadcast') await this.#home.database.query(this.#sql.broadcast, ['["b"]', '[0]'])
    else await this.#write(step.kind, step.writer)
  }

  async #write(kind: Writing, writer: number): Promise<void> {
    const client = this.#clients[writer]!
    const rows = this.#open[writer]
    if (kind === 'append' || kind === 'undo') {
      if (!rows) await client.query('BEGIN')
      if (kind === 'undo') await client.query('SAVEPOINT s')
      const payload = `${writer}.${this.#step}`
      await client.query(this.#sql.append.text, ['["t"]', JSON.stringify([payload]), '[null]', 'false'])
      if (kind === 'undo') await client.query('ROLLBACK TO SAVEPOINT s')
      this.#open[writer] = rows ?? []
      if (kind === 'append') this.#open[writer]!.push({ payload, insertedAt: this.#step, committedAt: 0 })
    } else if (rows) {
      await client.query(kind === 'commit' ? 'COMMIT' : 'ROLLBACK')
      this.#open[writer] = undefined
      if (kind === 'commit') this.#committed.push(...rows.map((row) => ({ ...row, committedAt: this.#step })))
    }
  }

  async #readOn(process: number): Promise<void> {
    const reader = this.#read[process]!
    const { rows } = await this.#home.database.query<{ last: string; sequence: string | null; payload: string }>(
      this.#sql.read,
      ['reader', String(reader.position), '1000'],
    )
    reader.position = BigInt(rows[0]!.last)
    for (const row of rows) if (row.sequence !== null) reader.payloads.push(JSON.parse(row.payload))
  }

  /** Commits what is open, lets everyone read to the end, and compares. */
  async end(): Promise<void> {
    for (let writer = 0; writer < WRITERS; writer++) await this.take({ kind: 'commit', writer })
    for (let process = 0; process < PROCESSES; process++) {
      await this.take({ kind: 'line', process })
      await this.take({ kind: 'read', process })
    }
    const { rows } = await this.#home.database.query<{ sequence: string; payload: string; broadcast: boolean }>(
      `SELECT o.sequence::text, o.payload::text, o.broadcast FROM ${this.#home.schema}.outbox o ORDER BY o.sequence`,
    )
    const first = BigInt(rows[0]?.sequence ?? 0)
    for (const [i, row] of rows.entries()) assert.equal(BigInt(row.sequence) - first, BigInt(i), 'a hole in the line')
    const line = rows.filter((row) => !row.broadcast).map((row) => JSON.parse(row.payload) as string)
    assert.deepEqual([...line].sort(), this.#committed.map((row) => row.payload).sort())
    for (const { payloads } of this.#read) assert.deepEqual(payloads, line, 'a reader read something else')
    this.#checkCauses(line)
  }

  /** A row that was inserted after another could be seen comes after it; so do later rows of one transaction. */
  #checkCauses(line: readonly string[]): void {
    const place = new Map(line.map((payload, i) => [payload, i]))
    for (const before of this.#committed)
      for (const later of this.#committed) {
        const isCause = before.committedAt < later.insertedAt
        const isSameTransaction = before.committedAt === later.committedAt && before.insertedAt < later.insertedAt
        if (isCause || isSameTransaction)
          assert.ok(
            place.get(before.payload)! < place.get(later.payload)!,
            `${later.payload} overtook ${before.payload}`,
          )
      }
  }
}
