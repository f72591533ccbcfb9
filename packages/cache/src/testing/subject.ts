import type { FarBackend, FarReading, LeaseAnswer } from '../far/far_backend.ts'

/** A backend over an empty store, and how the store's time is moved. */
export interface FarBackendUnderTest {
  /** Started. */
  backend: FarBackend
  /** Makes `ms` pass for what expires in the store. */
  pass(ms: number): Promise<void>
  /** Makes the store lose all it has, as by an eviction, a flush or a crash. Left out by a store that never does. */
  lose?(): Promise<void>
  close(): Promise<void>
}

/** Declares one clause. */
export type Clause = (title: string, body: (subject: FarBackendUnderTest) => Promise<void>) => void

/** The reading of one key. */
export async function readOne({ entries }: FarBackend, key: string): Promise<FarReading> {
  const [reading] = await entries.read([key])
  return reading!
}

/** The text of an entry's envelope. */
export async function textOf(backend: FarBackend, key: string): Promise<string | undefined> {
  return (await readOne(backend, key)).envelope?.toString()
}

/** Writes a text under a key; whether it was stored. */
export async function put(
  { entries }: FarBackend,
  key: string,
  text: string,
  more: { ttl?: number; expected?: string; lease?: string } = {},
): Promise<boolean> {
  const [stored] = await entries.write([{ key, envelope: Buffer.from(text), ttl: 60_000, ...more }])
  return stored!
}

/** Asks for one lease. */
export async function acquire(
  { leases }: FarBackend,
  key: string,
  seen: string,
  token: string,
  ttl: number,
): Promise<LeaseAnswer> {
  const [answer] = await leases.acquire([{ key, seen, token }], ttl)
  return answer!
}
