import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { TailwaterError } from '@tailwater/core'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import type { ImportErrorCode } from '../../../src/data/errors.ts'
import { importOnlineRetail } from '../../../src/data/online_retail/import.ts'
import { merchantMigrations } from '../../../src/database/migrations.ts'

const header = 'invoice_no,stock_code,description,quantity,invoice_date,unit_price,customer_id,country\n'
const good = '900001,70001A,BLUE TIN ROBOT,6,2011-01-04 10:00:00,2.55,20001.0,United Kingdom\n'
const start = header + good
/** A third line with one field replaced. */
const with3 = (from: string, to: string) => start + good.replace(from, to)
/** Enough text that the fault lies in a later chunk of the stream. */
const long = start + good.repeat(20_000)

const cases: [name: string, content: string | Buffer, code: ImportErrorCode, message: RegExp, line?: number][] = [
  ['an empty file', '', 'E_IMPORT_EMPTY', /is empty/],
  ['a header and nothing else', header, 'E_IMPORT_EMPTY', /no line below its header/],
  ['a missing column', header.replace(',country', ''), 'E_IMPORT_HEADER', /no column 'country'/, 1],
  ['an unknown column', header.replace('country', 'county'), 'E_IMPORT_HEADER', /unknown column 'county'/, 1],
  ['a column twice', header.replace('country', 'quantity'), 'E_IMPORT_HEADER', /repeats 'quantity'/, 1],
  ['no header', good, 'E_IMPORT_HEADER', /unknown column '900001'/, 1],
  [
    'a line that is too short',
    `${start}900002,70001A\n`,
    'E_IMPORT_CSV',
    /line 3 is not valid CSV: it has 2 fields/,
    3,
  ],
  [
    'a line that is too long',
    `${start}${good.trim()},more\n`,
    'E_IMPORT_CSV',
    /line 3 is not valid CSV: it has 9 fields/,
    3,
  ],
  ['a quote inside a field', with3('BLUE', 'BL"UE'), 'E_IMPORT_CSV', /line 3 .*quote stands inside/, 3],
  ['a quote that is not doubled', with3('BLUE TIN', '"BLUE" TIN'), 'E_IMPORT_CSV', /line 3 .*not doubled/, 3],
  ['a quote that is not closed', `${with3('BLUE', '"BLUE')}${good}`, 'E_IMPORT_CSV', /line 3 .*not closed/, 3],
  [
    'a quote not closed in a long file',
    `${with3('BLUE', '"BLUE')}${good.repeat(9_000)}`,
    'E_IMPORT_CSV',
    /line 3 .*not closed/,
    3,
  ],
  [
    'a quantity in words',
    with3(',6,', ',six,'),
    'E_IMPORT_VALUE',
    /line 3: quantity must be a whole number, got 'six'/,
    3,
  ],
  ['half a piece', with3(',6,', ',6.5,'), 'E_IMPORT_VALUE', /line 3: quantity/, 3],
  ['no quantity', with3(',6,', ',,'), 'E_IMPORT_VALUE', /line 3: quantity/, 3],
  ['a quantity beyond integers', with3(',6,', ',2147483648,'), 'E_IMPORT_VALUE', /line 3: quantity/, 3],
  ['a price with a decimal comma', with3('2.55', '"2,55"'), 'E_IMPORT_VALUE', /line 3: unit_price .* got '2,55'/, 3],
  ['a price of four decimals', with3('2.55', '2.5501'), 'E_IMPORT_VALUE', /line 3: unit_price .*three decimals/, 3],
  ['a price that is not a number', with3('2.55', 'NaN'), 'E_IMPORT_VALUE', /line 3: unit_price/, 3],
  [
    'an amount too large to add up',
    with3('6,2011-01-04 10:00:00,2.55', '2000000000,2011-01-04 10:00:00,99999'),
    'E_IMPORT_VALUE',
    /line 3: quantity/,
    3,
  ],
  ['a day that does not exist', with3('2011-01-04', '2011-02-29'), 'E_IMPORT_VALUE', /line 3: invoice_date/, 3],
  ['no time', with3('2011-01-04 10:00:00', ''), 'E_IMPORT_VALUE', /line 3: invoice_date/, 3],
  ['no invoice number', with3('900001', ' '), 'E_IMPORT_VALUE', /line 3: invoice_no/, 3],
  [
    'a fault deep in the file',
    `${long}900002,70001A,X,1,never,1,,Malta\n`,
    'E_IMPORT_VALUE',
    /line 20003: invoice_date/,
    20_003,
  ],
  ['a truncated gzip file', gzipSync(long).subarray(0, 2_000), 'E_IMPORT_GZIP', /ends too early/],
  ['a damaged gzip file', damaged(gzipSync(long)), 'E_IMPORT_GZIP', /not a whole gzip file/],
  ['an Excel workbook', Buffer.from('PK\u0003\u0004…'), 'E_IMPORT_ENCODING', /Excel workbook/],
  ['Latin-1 text', Buffer.from(with3('BLUE', 'BL\u00dcE'), 'latin1'), 'E_IMPORT_ENCODING', /line 3 .*not UTF-8/, 3],
  ['UTF-16 text', Buffer.from(`\uFEFF${start}`, 'utf16le'), 'E_IMPORT_ENCODING', /line 1 .*not UTF-8/, 1],
  ['zero bytes', with3('BLUE', 'BL\0UE'), 'E_IMPORT_ENCODING', /line 3 .*zero byte/, 3],
]

/** Its checksum, just before the last four bytes, is another. */
function damaged(bytes: Buffer): Buffer {
  return bytes.fill(0xff, bytes.length - 8, bytes.length - 4)
}

describe('a bad file', () => {
  let opened: TestSchema
  let folder: string
  before(async () => {
    opened = await createTestSchema({ modules: [merchantMigrations] })
    folder = await mkdtemp(join(tmpdir(), 'import-'))
  })
  after(async () => {
    await opened.close()
    await rm(folder, { recursive: true })
  })

  const refuses = async (path: string, code: ImportErrorCode, message: RegExp, line?: number) => {
    const error = await importOnlineRetail({ ...opened, file: path }).then(
      () => assert.fail('it was imported'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof TailwaterError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    assert.equal(error.details['line'], line)
    const { rows } = await opened.database.query(`SELECT count(*)::int AS count FROM ${opened.schema}.merchants`)
    assert.deepEqual(rows, [{ count: 0 }], 'nothing was imported')
  }

  for (const [name, content, code, message, line] of cases)
    it(`with ${name} is refused with ${code}${line ? ` at line ${line}` : ''}`, async () => {
      const path = join(folder, 'file')
      await writeFile(path, content)
      await refuses(path, code, message, line)
    })

  it('that is not there, or a folder, is refused with E_IMPORT_FILE', async () => {
    await refuses(join(folder, 'nowhere'), 'E_IMPORT_FILE', /cannot be read/)
    await refuses(folder, 'E_IMPORT_FILE', /cannot be read/)
  })
})
