import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { createTestVhost } from '@tailwater/messaging/testing/rabbitmq'
import { type Program, startProgram, temporaryFolder } from './program.ts'

const running: Program[] = []
after(() => {
  for (const { child } of running) child.kill('SIGKILL')
})

interface Stall {
  listings: { sku: string; quantity: number; isLive: boolean }[]
  orders: { id: string; status: string }[]
}

/** Looks at a marketplace until what it shows fits. */
async function look<T>(url: string, find: (stall: Stall) => T | undefined): Promise<T> {
  for (;;) {
    const answer = await fetch(url)
    const found = find((await answer.json()) as Stall)
    if (found !== undefined) return found
  }
}

const carriers = {
  'jobs alone': async () => ({ environment: {}, close: async () => {} }),
  RabbitMQ: async () => {
    const vhost = await createTestVhost()
    return {
      environment: { AMQP_URL: vhost.url },
      async close() {
        const queues = (await vhost.ask('GET', 'queues/{vhost}')) as { name: string }[]
        await vhost.close()
        assert.ok(queues.some((queue) => queue.name.includes('product-sync')))
      },
    }
  },
}

for (const [name, open] of Object.entries(carriers))
  describe(`the program with simulated marketplaces, over ${name}`, () => {
    it('lists products there, takes in what is bought, and ends with all of it', async () => {
      const folder = temporaryFolder()
      const carrier = await open()
      const program = startProgram({ DATA_DIR: folder.path, API_RATE: '0', ...carrier.environment })
      running.push(program)
      const [, control] = await program.says(/Marketplaces simulated, at (http:\S+\/control)\//)
      const stall = `${control}/market-square`
      const { sku, quantity } = await look(stall, ({ listings }) =>
        listings.find((one) => one.isLive && one.quantity > 3),
      )
      const bought = await fetch(`${stall}/orders`, {
        method: 'POST',
        body: JSON.stringify({ lines: [{ sku, quantity: 2 }] }),
      })
      assert.equal(bought.status, 201)
      const { id } = (await bought.json()) as { id: string }
      const status = await look(
        stall,
        ({ orders }) => orders.find((one) => one.id === id && one.status !== 'new')?.status,
      )
      assert.equal(status, 'confirmed')
      await look(stall, ({ listings }) => listings.find((one) => one.sku === sku && one.quantity <= quantity - 2))
      program.child.kill('SIGINT')
      assert.equal(await program.ended, 0, program.output().slice(-2_000))
      await assert.rejects(fetch(stall))
      await carrier.close()
      folder.remove()
    })
  })
