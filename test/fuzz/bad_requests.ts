import { badTexts, badValues } from './bad_values.ts'
import { type Operation, plausible } from './operations.ts'

/** A request to be sent as it is. */
export interface BadRequest {
  method: string
  target: string
  headers: Record<string, string>
  body: string | Buffer | undefined
}

type Pick = <T>(from: readonly T[]) => T
type Integers = (low: number, high: number) => number

/** What a fuzzed request is made with. */
export interface Forge {
  random: Integers
  /** Tokens to call with, good and bad. */
  tokens: readonly (string | undefined)[]
}

/** One bad request to an operation: one part of it at least is not what its schema asks for. */
export function badRequest(operation: Operation, { random, tokens }: Forge): BadRequest {
  const pick: Pick = (from) => from[random(0, from.length - 1)]!
  const spoilt = pick(partsOf(operation))
  const headers: Record<string, string> = {
    // A client of its own for each request, so that what is tested is the route and not the limit before it.
    'x-forwarded-for': `203.0.${random(0, 255)}.${random(0, 255)}`,
    ...headersOf(operation, spoilt === 'header', pick),
  }
  const token = pick(tokens)
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`
  const body = operation.body && bodyOf(operation, spoilt === 'body', pick, random, headers)
  const target = pathOf(operation, spoilt === 'path', pick) + queryOf(operation, spoilt === 'query', pick, random)
  return { method: operation.method, target, headers, body }
}

function partsOf({ parameters, body }: Operation): string[] {
  const places = new Set<string>(parameters.map((parameter) => parameter.in))
  return [...places, 'query', 'header', ...(body ? ['body', 'body', 'body'] : [])]
}

function pathOf({ path, parameters }: Operation, isSpoilt: boolean, pick: Pick): string {
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter.schema]))
  return path.replace(/\{([^}]+)\}/g, (_, name: string) =>
    isSpoilt ? encode(pick(badTexts)) : encode(String(plausible(known.get(name) ?? {}))),
  )
}

function queryOf({ parameters }: Operation, isSpoilt: boolean, pick: Pick, random: Integers): string {
  const known = parameters.filter((parameter) => parameter.in === 'query')
  const pairs = known
    .filter(() => random(0, 3) === 0)
    .map(({ name, schema }) => `${name}=${encode(String(plausible(schema)))}`)
  if (isSpoilt)
    for (let count = random(1, 3); count > 0; count--) {
      const name = known.length > 0 && random(0, 4) > 0 ? pick(known).name : pick(badTexts)
      pairs.push(`${encode(name)}=${encode(pick(badTexts))}`)
    }
  return pairs.length > 0 ? `?${pairs.join('&')}` : ''
}

/** Percent-encoded where it must be; now and then broken on purpose, by what `badTexts` holds. */
function encode(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text).replace(/%25F0%259F/, '%F0%9F') : '%ED%A0%80'
}

const ODD_HEADERS: readonly [string, readonly string[]][] = [
  ['if-match', ['*', '"', '"0"', 'W/"1"', '"'.repeat(100), '"a", "b"', 'x']],
  ['if-none-match', ['*', '"', 'W/', '"a",,', 'x'.repeat(1_000)]],
  ['if-modified-since', ['yesterday', 'Thu, 99 Jan 9999 99:99:99 GMT', '-1']],
  ['accept', ['text/html', '*/*;q=2', ';', 'application/json;v='.repeat(30)]],
  ['accept-encoding', ['identity;q=0, *;q=0', 'gzip;q=abc', 'br, gzip, zstd', ',,,', 'x'.repeat(2_000)]],
  ['range', ['bytes=0-', 'bytes=-1', 'bytes=9-1', 'items=1-2']],
  ['idempotency-key', ['', ' ', 'a'.repeat(300), 'key with spaces', "';--"]],
  ['traceparent', ['00-0-0-0', `ff-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, 'x'.repeat(500)]],
  ['x-request-id', ['a'.repeat(2_000), '"><script>', '../../x']],
  [
    'content-type',
    ['text/plain', 'application/json; charset=utf-16', 'application/xml', 'multipart/form-data', 'application/json;;;'],
  ],
  ['content-encoding', ['gzip', 'br', 'identity, gzip', 'made-up']],
  ['cookie', ['tailwater_session=; tailwater_session=x', 'a=b; '.repeat(200), `__Host-tailwater=${'A'.repeat(100)}`]],
  ['origin', ['null', 'https://evil.example', 'not a url']],
  ['host', ['evil.example', 'localhost:99999', '[::1']],
  [
    'authorization',
    ['Basic YTpi', 'Bearer', 'Bearer a b', 'bearer '.repeat(50), 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.'],
  ],
]

function headersOf({ parameters }: Operation, isSpoilt: boolean, pick: Pick): Record<string, string> {
  const wanted = parameters.filter((parameter) => parameter.in === 'header')
  const headers = Object.fromEntries(wanted.map(({ name, schema }) => [name.toLowerCase(), String(plausible(schema))]))
  if (!isSpoilt) return headers
  const [name, values] = pick(ODD_HEADERS)
  return { ...headers, [name]: pick(values) }
}

function bodyOf(
  operation: Operation,
  isSpoilt: boolean,
  pick: Pick,
  random: Integers,
  headers: Record<string, string>,
): string | Buffer {
  headers['content-type'] ??= 'application/json'
  const good = plausible(operation.body!)
  if (!isSpoilt) return JSON.stringify(good)
  const kind = random(0, 9)
  if (kind === 0)
    return pick([
      '',
      '{',
      '[',
      '{"a":',
      'null',
      '"text"',
      '1',
      '[1,2',
      '{"a":1,}',
      '{a:1}',
      "{'a':1}",
      '\uFEFF{}',
      '{"a":"\u0000"}',
      '{"a":1}{"b":2}',
      'undefined',
    ])
  if (kind === 1)
    return pick([
      '['.repeat(20_000),
      '{"a":'.repeat(20_000),
      `{"a":"${'x'.repeat(200_000)}"}`,
      `{"a":${'9'.repeat(50_000)}}`,
      `[${'0,'.repeat(50_000)}0]`,
      `${'{"a":1},'.repeat(1_000)}`,
    ])
  if (kind === 2) return Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x22, 0xc0, 0xaf, 0x22, 0x7d])
  if (kind === 3) return JSON.stringify(pick(badValues)) ?? 'undefined'
  return JSON.stringify(mutated(good, pick, random))
}

/** The value with one place in it replaced, taken away, or added to. */
function mutated(value: unknown, pick: Pick, random: Integers): unknown {
  if (value === null || typeof value !== 'object' || random(0, 5) === 0) return pick(badValues)
  if (Array.isArray(value)) {
    if (value.length === 0 || random(0, 3) === 0) return [...value, pick(badValues)]
    const at = random(0, value.length - 1)
    return value.map((item, index) => (index === at ? mutated(item, pick, random) : item))
  }
  const entries = Object.entries(value)
  if (entries.length === 0 || random(0, 6) === 0)
    return Object.fromEntries([...entries, [pick(badTexts), pick(badValues)]])
  const [name] = pick(entries)
  if (random(0, 4) === 0) return Object.fromEntries(entries.filter(([other]) => other !== name))
  return Object.fromEntries(
    entries.map(([other, inner]) => [other, other === name ? mutated(inner, pick, random) : inner]),
  )
}
