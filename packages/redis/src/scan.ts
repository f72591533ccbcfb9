import type { RedisClient, RedisNode } from './client.ts'

/** Which keys are looked for. */
export interface ScanQuery {
  /** A pattern in the style of glob, under the whole key. */
  match: string
  /** `next` of the page before. */
  cursor?: string | undefined
  /** About how many keys are looked at. @default 100 */
  count?: number
}

/** Some keys; fewer than were looked at, or none, without being the last. */
export interface ScanPage {
  keys: string[]
  /** Undefined after the last page. */
  next: string | undefined
}

/** A place to ask, and its name within a cursor. */
interface Place {
  name: string
  call(command: string, args: (string | number)[]): Promise<unknown>
}

/**
 * One page of a scan over all masters, one after the other in the order of their addresses.
 *
 * A cursor is `address/cursor of that node`. A node that has left meanwhile is passed over: its keys are on others then, and those of them that are on nodes already seen are
 * missed.
 */
export async function scanPage(
  client: RedisClient,
  { match, cursor = '/0', count = 100 }: ScanQuery,
): Promise<ScanPage> {
  const places = placesOf(client)
  const at = cursor.lastIndexOf('/')
  const name = cursor.slice(0, at)
  const place = places.find((candidate) => candidate.name >= name)
  if (!place) return { keys: [], next: undefined }
  const from = place.name === name ? cursor.slice(at + 1) : '0'
  const reply = await place.call('SCAN', [from, 'MATCH', match, 'COUNT', count])
  const [next, keys] = reply as [next: string, keys: string[]]
  if (next !== '0') return { keys, next: `${place.name}/${next}` }
  const following = places[places.indexOf(place) + 1]
  return { keys, next: following && `${following.name}/0` }
}

function placesOf(client: RedisClient): Place[] {
  if (!client.isCluster) return [{ name: '', call: (command, args) => client.call(command, args) }]
  const named = (client.nodes?.('master') ?? []).map((node) => ({ name: addressOf(node), call: node.call.bind(node) }))
  return named.sort((a, b) => (a.name < b.name ? -1 : 1))
}

const addressOf = ({ options: { host = '', port = 0 } }: RedisNode) => `${host}:${port}`
