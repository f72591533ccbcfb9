/** Types outside `text/*`, `*+json` and `*+xml` that shrink; the rest of what servers send is compressed already. */
const TYPES = new Set([
  'application/javascript',
  'application/json',
  'application/json5',
  'application/jsonlines',
  'application/ld+json',
  'application/manifest+json',
  'application/ndjson',
  'application/openmetrics-text',
  'application/rtf',
  'application/sql',
  'application/toml',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/x-javascript',
  'application/x-ndjson',
  'application/x-sh',
  'application/xml',
  'application/yaml',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/svg+xml',
  'image/vnd.microsoft.icon',
  'image/x-icon',
])

/**
 * Whether a body of this `Content-Type` is worth compressing.
 *
 * Never `text/event-stream`: an encoder holds events back until its block is full, and each
 * open stream would keep an encoder's memory for hours.
 */
export function isCompressible(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'text/event-stream') return false
  return type.startsWith('text/') || type.endsWith('+json') || type.endsWith('+xml') || TYPES.has(type)
}
