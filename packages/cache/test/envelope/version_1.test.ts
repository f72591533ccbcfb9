import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Envelope } from '../../src/envelope/envelope.ts'
import { createEnvelopeFormat } from '../../src/envelope/format.ts'
import { meta, read } from './values.ts'

// Bytes as release 0.1 wrote them. They are never changed: the release that writes version 2 must read them still, and the one after it takes them out.
const key = 'product:42'
const head =
  '01b8dac5b40000000000ea6000000037d8e00002000770726f64756374431ae85a511c81ec00086272616e643ac385401c000000000000'
const written = {
  ascii: [`01b625318b10${head}7b226964223a34322c226e616d65223a224c616d70227d`, { id: 42, name: 'Lamp' }],
  utf8: [`01173b9bbc00${head}7b226964223a34322c226e616d65223a224cc3a16d70227d`, { id: 42, name: 'Lámp' }],
  undefined: [`01ea4b6ff020${head}`, undefined],
  compressed: [`01e9245bc114${head}000000ca28b52ffd20ca5d000020226162220100c3283704`, 'ab'.repeat(100)],
  encrypted: [
    `01f040093518${head}72cd6e84f67209f5ee36a513c51fb350839d4e6300000000000000000000000101858bdd8caf184f268a89f3c64db41fe52d5a1b593a1a24802749edd14816524712afb96bf41c`,
    { id: 42, name: 'Lamp' },
  ],
} as const

for (const [name, [hex, value]] of Object.entries(written))
  it(`bytes of version 1 are read, ${name}`, async () => {
    const format = createEnvelopeFormat({
      namespace: 'product',
      ...(name === 'encrypted' && { encryption: { keys: [Buffer.alloc(32, 1)] } }),
    })
    const bytes = Buffer.from(hex, 'hex')
    const { created, fresh, usable, tags } = format.open(key, bytes) as Envelope
    assert.deepEqual({ created, fresh, usable, tags }, meta)
    assert.deepEqual(await read(format, key, bytes), { rejected: undefined, value })
  })

it('small values are written as they always were', async () => {
  const format = createEnvelopeFormat({ namespace: 'product' })
  for (const [hex, value] of [written.ascii, written.utf8, written.undefined])
    assert.equal((await format.encode(key, value, meta)).toString('hex'), hex)
})
