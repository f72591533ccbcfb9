import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { readMarketplaceFile } from '../../src/program/marketplace_file.ts'
import { temporaryFolder } from './program.ts'

const folder = temporaryFolder()
after(() => folder.remove())

function fileOf(content: string): string {
  const path = join(folder.path, 'marketplaces.json')
  writeFileSync(path, content)
  return path
}

const good = {
  slug: 'bazaar-street',
  wire: 'bazaar',
  baseUrl: 'https://bazaar.example/api',
  secret: 'a secret of the seller',
}

it('a file names the marketplaces that the shop sells on', () => {
  assert.deepEqual(readMarketplaceFile(fileOf(JSON.stringify([good]))), [good])
})

it('a file that is no such list is refused with what is wrong, and shows no secret', () => {
  const bad = [
    'no json',
    '{}',
    JSON.stringify([{ ...good, wire: 'telegraph' }]),
    JSON.stringify([{ ...good, secret: 'short' }]),
    JSON.stringify([{ ...good, baseUrl: 'bazaar.example' }]),
    JSON.stringify([good, good]),
  ]
  for (const content of bad)
    assert.throws(
      () => readMarketplaceFile(fileOf(content)),
      (error: Error & { code?: string }) =>
        error.code === 'E_OPTIONS' && !error.message.includes('short') && !error.message.includes(good.secret),
    )
  assert.throws(() => readMarketplaceFile(join(folder.path, 'nowhere.json')), { code: 'E_OPTIONS' })
})
