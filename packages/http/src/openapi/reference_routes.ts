import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Type } from 'typebox'
import type { Reply } from '../exchange.ts'
import { problem } from '../problem.ts'
import { type Route, route } from '../route.ts'
import { OneOf } from '../schemas.ts'

/** Where the reference finds what it shows and what it is made of. */
export interface ReferenceOptions {
  /** @default '/reference' */
  path?: string
  /** Of the document, as seen from the page. @default 'openapi.json' */
  documentUrl?: string
  /** @default 'API reference' */
  title?: string
  /** Folder of the files of `swagger-ui-dist`. By default the installed package. */
  assets?: string
}

const TYPES: Record<string, string> = { css: 'text/css', js: 'text/javascript', png: 'image/png' }
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const
const INITIALIZER = 'initializer.js'
/** Scripts and styles of our own address only; the page asks nobody else for anything. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  // Swagger UI sets styles of elements from its script.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * Routes of a browsable reference: Swagger UI, from the optional package `swagger-ui-dist`, served from here.
 *
 * @throws E_PACKAGE_MISSING from the routes, as a 501 problem, when it is not installed
 */
export function referenceRoutes(options: ReferenceOptions = {}): Route[] {
  const { path = '/reference', documentUrl = 'openapi.json', title = 'API reference' } = options
  // Resolved from the page, whose last step is the reference's own name.
  const folder = path.slice(path.lastIndexOf('/') + 1)
  const assets = createAssets(options.assets)
  return [
    route({
      method: 'GET',
      path,
      id: 'reference',
      summary: 'This API, to browse',
      tags: ['reference'],
      schema: { response: { 200: Type.String({ contentMediaType: 'text/html' }) } },
      async handler() {
        await assets.read(ASSETS[0])
        return sent('text/html', pageOf(title, folder), {
          'content-security-policy': POLICY,
          'referrer-policy': 'no-referrer',
        })
      },
    }),
    route({
      method: 'GET',
      path: `${path}/:file`,
      id: 'referenceFile',
      summary: 'A file of the reference',
      tags: ['reference'],
      schema: {
        params: Type.Object({ file: OneOf([...ASSETS, INITIALIZER]) }),
        response: { 200: Type.String({ contentMediaType: 'application/octet-stream' }) },
      },
      async handler({ params: { file } }) {
        if (file === INITIALIZER) return sent('text/javascript', initializerOf(documentUrl))
        return sent(TYPES[file.slice(file.lastIndexOf('.') + 1)]!, await assets.read(file), {
          'cache-control': 'max-age=3600',
        })
      },
    }),
  ]
}

function sent(type: string, body: string | Uint8Array, headers: Reply['headers'] = {}): Reply {
  const charset = type.startsWith('text/') ? '; charset=utf-8' : ''
  const own = { 'content-type': type + charset, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' }
  return { status: 200, headers: { ...own, ...headers }, body }
}

function createAssets(folder: string | undefined) {
  const files = new Map<string, Promise<Uint8Array>>()
  const load = async (name: string) => {
    try {
      return await readFile(join(folder ?? installed(), name))
    } catch (cause) {
      files.delete(name)
      throw problem(
        501,
        'E_PACKAGE_MISSING',
        'The reference needs the package swagger-ui-dist: npm install swagger-ui-dist',
        { cause },
      )
    }
  }
  return {
    read(name: string): Promise<Uint8Array> {
      const file = files.get(name) ?? load(name)
      files.set(name, file)
      return file
    },
  }
}

function installed(): string {
  return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
}

function pageOf(title: string, folder: string): string {
  const safe = title.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe}</title>
<link rel="icon" type="image/png" href="${folder}/favicon-32x32.png">
<link rel="stylesheet" href="${folder}/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="${folder}/swagger-ui-bundle.js"></script>
<script src="${folder}/${INITIALIZER}"></script>
</body>
</html>
`
}

function initializerOf(documentUrl: string): string {
  return `SwaggerUIBundle({ url: ${JSON.stringify(documentUrl)}, dom_id: '#reference', deepLinking: true, validatorUrl: null })\n`
}
