import type { OpenPage, Seek } from '@tailwater/http'
import type { Statement } from '@tailwater/postgres'
import type { PreparedQuery } from './list_statement.ts'

/** Finds one value of a statement in what is asked for. */
type Read<Request> = (request: Request) => unknown

/** Collects where a statement's values are found, while its text is put together. */
export interface Places<Request> {
  readonly reads: Read<Request>[]
  /** Adds a value; gives what stands for it in the text. */
  add(read: Read<Request>, type: string): string
  /** Adds the values of a page's beginning; gives its condition and order. */
  seek(page: OpenPage, pageOf: (request: Request) => OpenPage): Seek
}

/** An empty list of places. */
export function createPlaces<Request>(): Places<Request> {
  const reads: Read<Request>[] = []
  return {
    reads,
    add: (read, type) => `$${reads.push(read)}::${type}`,
    seek(page, pageOf) {
      const seek = page.seek(reads.length + 1)
      for (const at of seek.values.keys()) reads.push((request) => pageOf(request).keys[at])
      return seek
    },
  }
}

/** Statements kept for requests of one kind; a client can ask for more shapes than anybody needs. */
const MAX_SHAPES = 500

/** How the statements of one kind of request are made. */
export interface TemplateDefinition<Request> {
  /** Names everything that the text depends on, and nothing that only its values depend on. */
  shapeOf(request: Request): string
  write(request: Request, places: Places<Request>): Statement | string
}

/**
 * Puts a statement's text together once for each shape of its requests, and afterwards only reads its values.
 *
 * One function writes the text and says where each value is found, so that the two can't part.
 */
export function createTemplate<Request>({ shapeOf, write }: TemplateDefinition<Request>) {
  const known = new Map<string, { statement: Statement | string; reads: readonly Read<Request>[] }>()

  function make(shape: string, request: Request) {
    const places = createPlaces<Request>()
    const made = { statement: write(request, places), reads: places.reads }
    if (known.size >= MAX_SHAPES) known.clear()
    known.set(shape, made)
    return made
  }

  return (request: Request): PreparedQuery => {
    const shape = shapeOf(request)
    const { statement, reads } = known.get(shape) ?? make(shape, request)
    return { statement, values: reads.map((read) => read(request)) }
  }
}
