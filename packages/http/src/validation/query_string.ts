import { problem } from '../problem.ts'

/** Query parameters by name; a name given more than once holds an array. */
export type QueryValues = Record<string, string | string[]>

/**
 * Reads a query string (`application/x-www-form-urlencoded`). The result has no prototype.
 *
 * @throws E_URL_ENCODING for an invalid percent-encoding
 */
export function parseQuery(query: string): QueryValues {
  const values: QueryValues = Object.create(null)
  if (query === '') return values
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const mark = pair.indexOf('=')
    const name = decode(mark < 0 ? pair : pair.slice(0, mark))
    const value = mark < 0 ? '' : decode(pair.slice(mark + 1))
    const before = values[name]
    if (before === undefined) values[name] = value
    else if (Array.isArray(before)) before.push(value)
    else values[name] = [before, value]
  }
  return values
}

function decode(text: string): string {
  if (!text.includes('%')) return text.includes('+') ? text.replaceAll('+', ' ') : text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw problem(400, 'E_URL_ENCODING', 'The query string holds an invalid percent-encoding.')
  }
}
