import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { type StandardSchema, typeBoxSchema } from '@tailwater/jobs'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import * as v from 'valibot'
import * as z from 'zod'
import { engine, nextAttempt } from './testing/engine.ts'

interface Order {
  orderId: number
  to: string
}

const typeBox = typeBoxSchema(Compile(Type.Object({ orderId: Type.Integer(), to: Type.String({ minLength: 3 }) })))
const schemas: Record<string, StandardSchema<Order>> = {
  zod: z.object({ orderId: z.number().int(), to: z.string().min(3) }),
  valibot: v.object({ orderId: v.pipe(v.number(), v.integer()), to: v.pipe(v.string(), v.minLength(3)) }),
  TypeBox: typeBox,
}

for (const [library, schema] of Object.entries(schemas)) {
  it(`${library}: what its schema refuses is never stored, and the error says where`, async () => {
    const { jobs } = engine()
    const kind = jobs.define({ kind: 'checked', schema, run: () => 0 })
    await kind.enqueue({ orderId: 7, to: 'ann' })
    for (const [wrong, place] of [
      [{ orderId: 7.5, to: 'ann' }, 'orderId'],
      [{ orderId: 7, to: 'x' }, 'to'],
    ] as const)
      await assert.rejects(
        kind.enqueue(wrong),
        (error) => hasCode(error, 'E_JOB_PAYLOAD') && error.message.includes(`'checked' is not valid: ${place}: `),
      )
    assert.equal((await jobs.counts()).available, 1)
  })

  it(`${library}: what it refuses when the job runs is dead at once, without a second attempt`, async () => {
    const { jobs, backend } = engine()
    const seen: Order[] = []
    jobs.define({ kind: 'checked', schema, run: ({ payload }) => void seen.push(payload) })
    await jobs.start()
    const fine = nextAttempt('checked')
    await jobs.enqueue({ kind: 'checked', payload: { orderId: 7, to: 'ann' } })
    assert.equal((await fine).outcome, 'completed')
    const refused = nextAttempt('checked')
    const id = '01900000-0000-7000-8000-000000000001'
    const stored = { id, queue: 'default', kind: 'checked', payload: '{"orderId":7}', priority: 128, maxAttempts: 5 }
    await backend.jobs.add([stored])
    assert.equal((await refused).outcome, 'dead')
    assert.match((await jobs.inspect.get(id))?.error ?? '', /E_JOB_PAYLOAD.*to/s)
    assert.deepEqual(seen, [{ orderId: 7, to: 'ann' }])
  })
}

it('valibot and zod hand on what they make of a payload', async () => {
  for (const schema of [
    z.object({ at: z.string().transform((text) => text.length) }),
    v.object({
      at: v.pipe(
        v.string(),
        v.transform((text) => text.length),
      ),
    }),
  ]) {
    const { jobs } = engine()
    const seen: number[] = []
    const kind = jobs.define({ kind: 'transformed', schema, run: ({ payload }) => void seen.push(payload.at) })
    await jobs.start()
    const done = nextAttempt('transformed')
    await kind.enqueue({ at: 'four' })
    await done
    assert.deepEqual(seen, [4])
  }
})

it('TypeBox names a place within, even one whose name has a slash', async () => {
  const { jobs } = engine()
  const schema = typeBoxSchema(Compile(Type.Object({ 'a/b': Type.Object({ deep: Type.String() }) })))
  const kind = jobs.define({ kind: 'nested', schema, run: () => 0 })
  await assert.rejects(kind.enqueue({ 'a/b': { deep: 1 } } as never), /a\/b\.deep: /)
})
