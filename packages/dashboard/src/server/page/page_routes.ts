import {
  addVary,
  conditional,
  type Exchange,
  negotiateCoding,
  nonceOf,
  problem,
  type Reply,
  type Route,
  route,
  securityHeaders,
} from '@tailwater/http'
import { Type } from 'typebox'
import { type PageFile, type PageFiles, readPageFiles } from './page_files.ts'

/** A year, in seconds: the most that caches honour. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** Scripts from here only, none inline. Mantine adds one style sheet, for which the page carries a nonce. */
const strict = securityHeaders({
  csp: {
    'default-src': ["'none'"],
    'base-uri': ["'self'"],
    'connect-src': ["'self'"],
    'font-src': undefined,
    'img-src': ["'self'", 'data:'],
    'script-src': ["'self'"],
    'style-src': ["'self'", "'nonce'"],
  },
  referrerPolicy: 'no-referrer',
})

/** Serves the built page. It is public: what it shows is not. */
export function pageRoutes(mount: string, folder: string): Route[] {
  let reading: Promise<PageFiles | undefined> | undefined
  /** Read once it is there; a page built while the server runs is found at the next request. */
  const pageFiles = async () => {
    reading ??= readPageFiles(folder)
    const files = await reading
    if (!files) reading = undefined
    return files
  }

  async function serve(exchange: Exchange): Promise<Reply> {
    const files = await pageFiles()
    if (!files) return notBuilt(exchange)
    const path = exchange.path.slice(mount.length + 1)
    const file = files.get(path)
    if (file && path !== 'index.html') return fileReply(exchange, file)
    if (/^api(\/|$)/.test(path) || /\.\w+$/.test(path))
      throw problem(404, 'E_NOT_FOUND', 'There is nothing at this address.')
    return indexReply(exchange, files.get('index.html')!, mount)
  }

  const page = { method: 'GET', tags: ['page'], use: [strict, conditional()] } as const
  const schema = {
    query: Type.Object({}, { additionalProperties: true }),
    response: {
      200: Type.String({ contentMediaType: 'text/html' }),
      503: Type.String({ contentMediaType: 'text/html' }),
    },
  }
  return [
    route({
      ...page,
      path: mount,
      id: 'dashboardPage',
      summary: 'The dashboard',
      schema,
      handler: ({ exchange }) => serve(exchange),
    }),
    route({
      ...page,
      path: `${mount}/*`,
      id: 'dashboardPageFiles',
      summary: 'The files of the dashboard',
      schema,
      handler: ({ exchange }) => serve(exchange),
    }),
  ]
}

function fileReply(exchange: Exchange, file: PageFile): Reply {
  const headers: Reply['headers'] = {
    'content-type': file.type,
    'cache-control': file.immutable ? IMMUTABLE : 'no-cache',
  }
  const variants = (['br', 'gzip'] as const).filter((coding) => file[coding])
  if (variants.length === 0) return { status: 200, headers, body: file.plain }
  addVary(exchange.replyHeaders, 'Accept-Encoding')
  const accepted = exchange.headers['accept-encoding']
  const coding = negotiateCoding(typeof accepted === 'string' ? accepted : undefined, variants)
  if (coding === undefined || coding === 'identity') return { status: 200, headers, body: file.plain }
  return { status: 200, headers: { ...headers, 'content-encoding': coding }, body: file[coding] }
}

/** The page is told where it stands, and the nonce of its one style sheet: therefore it is never the same twice. */
function indexReply(exchange: Exchange, index: PageFile, mount: string): Reply {
  const html = index.plain
    .toString()
    .replace('%BASE%', `${mount}/`)
    .replace('%NONCE%', nonceOf(exchange) ?? '')
  return { status: 200, headers: { 'content-type': index.type, 'cache-control': 'no-cache' }, body: html }
}

const HOW_TO_BUILD =
  'The page is not built. Run "npx vite build packages/dashboard/web", or "npm start", and load it again.'

function notBuilt(exchange: Exchange): Reply {
  const wantsPage = String(exchange.headers['accept'] ?? '').includes('text/html')
  if (!wantsPage) throw problem(503, 'E_PAGE_NOT_BUILT', HOW_TO_BUILD)
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tailwater</title><h1>Tailwater</h1><p>${HOW_TO_BUILD.replaceAll('"', '&quot;')}</p></html>`
  return { status: 503, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }, body }
}
