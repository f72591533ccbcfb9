import type { Readable } from 'node:stream'
import { CsvError, type Info, parse } from 'csv-parse'
import { importError } from '../errors.ts'
import { type InvoiceLine, type LineReader, readHeader } from './invoice_line.ts'

/** Longer than any record can be; a quote that is never closed would otherwise swallow the rest of the file. */
const LONGEST_RECORD = 65_536

/**
 * Reads the lines of a file's text in their order.
 *
 * A byte order mark, CRLF and blank lines are accepted.
 *
 * @throws E_IMPORT_EMPTY without a single line below the header, E_IMPORT_HEADER, E_IMPORT_CSV, E_IMPORT_VALUE with `details.line`, and whatever `text` fails with
 */
export async function* readInvoiceLines(text: Readable): AsyncGenerator<InvoiceLine> {
  // The parser is ahead of the reader: what it fails on comes after the last record it has seen, not the last we have.
  let parsed = 0
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_RECORD,
    on_record: (record, { lines }) => {
      parsed = lines
      return record
    },
  })
  text.on('error', (error) => parser.destroy(error))
  text.pipe(parser)
  let read: LineReader | undefined
  let lines = 0
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (read) yield read(record, info.lines)
      else read = readHeader(record)
      lines = info.lines
    }
  } catch (error) {
    throw error instanceof CsvError ? csvError(error, parsed + 1) : error
  } finally {
    text.destroy()
  }
  if (lines < 2) throw importError('E_IMPORT_EMPTY', 'the file has no line below its header')
}

/** Quotes that are never closed are noticed far below the line that opened them, so the first line not understood is named. */
function csvError(error: CsvError, line: number): Error {
  return importError('E_IMPORT_CSV', `line ${line} is not valid CSV: ${reasonOf(error)}`, { cause: error, line })
}

function reasonOf(error: CsvError): string {
  switch (error.code) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
      return `it has ${(error['record'] as unknown[] | undefined)?.length ?? 'another number of'} fields, the header has another number`
    case 'CSV_QUOTE_NOT_CLOSED':
    case 'CSV_MAX_RECORD_SIZE':
      return 'it opens a quote that is not closed'
    case 'INVALID_OPENING_QUOTE':
      return 'a quote stands inside a field that did not begin with one; quote the field and double the quote'
    case 'CSV_INVALID_CLOSING_QUOTE':
      return 'a quote inside a quoted field is not doubled'
    default:
      return error.message
  }
}
