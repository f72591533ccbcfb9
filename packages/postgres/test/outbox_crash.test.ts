import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sleep, systemClock } from '@tailwater/core'
import {
  createDatabase,
  createMigrator,
  createOutbox,
  createPostgresBus,
  tailwaterMigrations,
} from '@tailwater/postgres'
import { createTestSchema, startTestPostgres } from '@tailwater/postgres/testing'
import { untilSo } from './outbox_home.ts'

const seed = Number(process.env['TEST_SEED'] ?? process.hrtime()[1] % 100_000)

const KILLS = 6

/** Park and Miller's minimal standard generator. */
function random(from: number): () => number {
  let state = (from % 2147483646) + 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

describe(`an outbox amid crashes, seed ${seed}`, () => {
  it('delivers every committed message, in order, though the processes that serve it are killed', async () => {
    const { url, schema, database, close } = await createTestSchema({ modules: [tailwaterMigrations] })
    after(close)
    await database.query(`CREATE TABLE ${schema}.handled (n serial, pid integer, sequence bigint, payload text)`)
    const next = random(seed)
    const relays = new Set<ChildProcess>()
    after(() => {
      for (const relay of relays) relay.kill('SIGKILL')
    })
    let kills = 0

    /** A relay that is killed after some batches, between handling and noting; another takes its place. */
    function spawnRelay(): void {
      const file = fileURLToPath(new URL('outbox_relay_process.ts', import.meta.url))
      const relay = spawn(process.execPath, ['--conditions=@tailwater/source', file, url, schema], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      relays.add(relay)
      let batches = Math.ceil(next() * 6)
      createInterface({ input: relay.stdout }).on('line', () => {
        if (kills >= KILLS || --batches > 0) return void relay.stdin.write('go on\n')
        kills++
        relays.delete(relay)
        relay.kill('SIGKILL')
        spawnRelay()
      })
    }
    spawnRelay()
    spawnRelay()

    const outbox = createOutbox({ database, schema })
    const confirmed: string[] = []
    await Promise.all(
      Array.from({ length: 4 }, async (_, writer) => {
        for (let n = 0; n < 60; n++) {
          const payload = `${writer}.${n}`
          const isUndone = next() < 0.2
          const done = database.transaction(async (tx) => {
            await outbox.append(tx, 'order', payload)
            if (isUndone) throw new Error('undone')
          })
          await done.then(
            () => confirmed.push(payload),
            () => undefined,
          )
        }
      }),
    )
    const distinct = `SELECT count(DISTINCT payload)::integer AS n FROM ${schema}.handled`
    await untilSo({ database }, async () => {
      const { rows } = await database.query<{ n: number }>(distinct)
      return rows[0]!.n >= confirmed.length && kills === KILLS
    })
    const { rows } = await database.query<{ payload: string; sequence: number }>(
      `SELECT payload, sequence FROM ${schema}.handled ORDER BY n`,
    )
    assert.deepEqual([...new Set(rows.map(({ payload }) => payload))].sort(), confirmed.sort())
    const firsts = rows.filter(({ payload }, i) => rows.findIndex((row) => row.payload === payload) === i)
    for (const [i, { sequence }] of firsts.entries()) assert.ok(i === 0 || sequence > firsts[i - 1]!.sequence)
    assert.ok(rows.length > firsts.length, 'no kill fell between handling and noting')
  })

  it('and its bus lose nothing that was confirmed when the server is killed under load', async () => {
    const server = await startTestPostgres()
    after(() => server.close())
    const { tell, until } = changes()
    const handled = new Set<unknown>()
    const nodes = [await openNode(server.url), await openNode(server.url)]
    const heard = nodes.map(() => new Set<unknown>())
    for (const [i, { outbox, bus }] of nodes.entries()) {
      await outbox.consumer('orders', (messages) => {
        for (const { payload } of messages) handled.add(payload)
        tell()
      })
      const keep = (what: unknown) => {
        heard[i]!.add(what)
        tell()
      }
      await bus.subscribe('prices', { onMessage: ({ payload }) => keep(payload), onGap: () => keep('gap') })
    }

    const stored = new Set<string>()
    const published = new Set<string>()
    const note = (confirmed: Set<string>, name: string) => () => {
      confirmed.add(name)
      tell()
    }
    let isOver = false
    const load = Array.from({ length: 4 }, async (_, writer) => {
      const { database, outbox, bus } = nodes[writer % 2]!
      for (let n = 0; !isOver; n++) {
        const name = `${writer}.${n}`
        const orders = database.transaction((tx) => outbox.append(tx, 'order', name)).then(note(stored, name))
        const prices = bus.publish('prices', name).then(note(published, name))
        // What was refused, or left open, is not confirmed: it may have happened or not.
        const outcomes = await Promise.allSettled([orders, prices])
        // A refusal may come at once; without a pause nothing else would ever run.
        if (outcomes.some(({ status }) => status === 'rejected')) await sleep(systemClock, 10)
      }
    })
    for (let restart = 0; restart <= 3; restart++) {
      const from = stored.size
      await until(() => stored.size > from + 40)
      if (restart < 3) await server.kill('SIGKILL').then(() => server.restart())
    }
    isOver = true
    await Promise.all(load)
    await until(() => [...stored].every((name) => handled.has(name)))
    for (const ear of heard) {
      await until(() => [...published].every((name) => ear.has(name)))
      assert.ok(!ear.has('gap'))
    }
    await Promise.all(nodes.map((node) => node.close()))
  })
})

async function openNode(url: string) {
  const database = createDatabase({ url, min: 1, max: 6, acquireTimeout: '30s' })
  await database.start()
  await createMigrator({ database, modules: [tailwaterMigrations] }).run()
  const outbox = createOutbox({ database, leaseTtl: '1s' })
  const bus = createPostgresBus({ outbox })
  await outbox.start()
  await bus.start()
  const close = async () => {
    await bus.stop()
    await outbox.stop()
    await database.stop()
  }
  return { database, outbox, bus, close }
}

/** Lets a test wait for something that others bring about: they say when anything has changed. */
function changes() {
  let change = Promise.withResolvers<void>()
  return {
    tell() {
      change.resolve()
      change = Promise.withResolvers()
    },
    async until(isSo: () => boolean): Promise<void> {
      while (!isSo()) await change.promise
    },
  }
}
