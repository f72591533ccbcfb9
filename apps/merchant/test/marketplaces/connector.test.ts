import assert from 'node:assert/strict'
import { after, afterEach, describe, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { connectorContract } from './connector_contract.ts'
import { patientPolicy, startSimulatedGround } from './simulated_ground.ts'

const ground = await startSimulatedGround()
after(() => ground.close())
afterEach(() => ground.behave({ latency: 0, errorRate: 0, rateLimit: 0 }))

for (const wire of ['bazaar', 'harbour'] as const) connectorContract(wire, () => ground.open(wire))

for (const wire of ['bazaar', 'harbour'] as const)
  describe(`${wire}: a marketplace in a bad mood`, () => {
    it('that limits its callers is waited for, and everything arrives', async () => {
      const { connector, number, listing } = ground.open(wire)
      const numbers = Array.from({ length: 8 }, number)
      await ground.behave({ rateLimit: 5 })
      await connector.putOffers(numbers.map((externalId) => ({ externalId, title: 'Mug', price: 1, quantity: 4 })))
      await ground.behave({ rateLimit: 0 })
      assert.equal((await listing(numbers.at(-1)!))!.quantity, 4)
    })

    it('that fails now and then is tried again', async () => {
      const policy = patientPolicy(`retry-${wire}`, {
        timeout: '5s',
        retry: { attempts: 30, backoff: { type: 'fixed', delay: 1 } },
      })
      const { connector, number, listing } = ground.open(wire, { policy })
      const numbers = Array.from({ length: 10 }, number)
      await ground.behave({ errorRate: 0.5 })
      await connector.putOffers(numbers.map((externalId) => ({ externalId, title: 'Mug', price: 1, quantity: 4 })))
      await ground.behave({ errorRate: 0 })
      assert.equal((await listing(numbers.at(-1)!))!.quantity, 4)
    })

    it('that only fails is left alone by its breaker', async () => {
      const policy = patientPolicy(`breaker-${wire}`, { breaker: { failures: 3, halfOpenAfter: '1h' } })
      const { connector } = ground.open(wire, { policy })
      await ground.behave({ errorRate: 1 })
      for (let time = 0; time < 3; time++)
        await assert.rejects(connector.orders(undefined), (error) => hasCode(error, 'E_MARKETPLACE_UNREACHABLE'))
      await assert.rejects(connector.orders(undefined), (error) => hasCode(error, 'E_MESSAGE_BREAKER_OPEN'))
    })

    it('that does not answer in time fails the call', async () => {
      const policy = patientPolicy(`timeout-${wire}`, { timeout: 50 })
      const { connector } = ground.open(wire, { policy })
      await ground.behave({ latency: 60_000 })
      await assert.rejects(connector.orders(undefined), (error) => hasCode(error, 'E_MESSAGE_TIMEOUT'))
    })

    it('stops asking when nobody waits any more', async () => {
      const { connector } = ground.open(wire)
      const leaving = new AbortController()
      const asked = connector.orders(undefined, { signal: leaving.signal })
      leaving.abort(new Error('gone'))
      await assert.rejects(asked, /gone/)
    })
  })
