import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheInvalidation, listen } from '@tailwater/core'
import { createTestSchema } from '@tailwater/postgres/testing'
import { createTailwater, type Tailwater, type TailwaterConfig } from 'tailwater'
import { merchantMigrations } from '../../src/database/migrations.ts'
import { openShop, type Shop } from '../../src/program/shop.ts'
import { queuePolicies } from '../../src/queues/policies.ts'

const ADMINISTRATOR = { email: 'admin@example.com', password: 'a long sentence is a good password' }

/** A reply over HTTP. */
export interface HttpAnswer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the body it asks for
  body: any
}

/** One platform with the merchant on it, and requests to it over HTTP. */
export interface OpenShop {
  platform: Tailwater
  shop: Shop
  get(path: string, token?: string): Promise<HttpAnswer>
  /** As administrator. */
  send(
    method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: object,
  ): Promise<HttpAnswer>
}

/** Two processes' worth of platform over one database. */
export interface TwoShops {
  schema: string
  here: OpenShop
  there: OpenShop
  close(): Promise<void>
}

/** Opens two shops over one schema of the test server. */
export async function openTwoShops(config: TailwaterConfig = {}): Promise<TwoShops> {
  const { url, schema, close } = await createTestSchema()
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-shops-'))
  const open = (dataDir: string) =>
    openOne(schema, {
      database: { url, min: 0, max: 8 },
      schema,
      application: { schema, modules: [merchantMigrations] },
      dataDir: join(folder, dataDir),
      secret: 'a secret of the tests that is long enough',
      log: { level: 'silent' },
      administrator: ADMINISTRATOR,
      environment: 'test',
      jobs: { queues: queuePolicies },
      ...config,
    })
  const here = await open('here')
  const there = await open('there')
  return {
    schema,
    here,
    there,
    async close() {
      for (const { shop, platform } of [here, there]) {
        await shop.stop()
        await platform.stop()
      }
      await close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function openOne(schema: string, config: TailwaterConfig): Promise<OpenShop> {
  const platform = await createTailwater(config)
  await platform.start()
  const shop = await openShop(platform, { host: '127.0.0.1', port: 0, apiRate: 0, schema })
  await shop.start()
  const administrator = await platform.accounts.verifyPassword(ADMINISTRATOR.email, ADMINISTRATOR.password)
  const { token } = await platform.accounts.issueToken(administrator!)
  return {
    platform,
    shop,
    get: (path, own) => ask(shop, 'GET', path, own === undefined ? {} : { authorization: `Bearer ${own}` }),
    send: (method, path, body, headers = {}) =>
      ask(shop, method, path, { authorization: `Bearer ${token}`, ...headers }, body),
  }
}

async function ask(shop: Shop, method: string, path: string, headers: Record<string, string>, body?: unknown) {
  const response = await fetch(`${shop.url.replace('localhost', '127.0.0.1')}/api${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  assert.notEqual(response.status, 500, `${method} ${path}: ${text}`)
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

/** Does something, and resolves when both processes have heard that what has a tag is invalid: the one that made it so hears it too. */
export async function untilHeard<T>(act: () => Promise<T>, tagOf: (result: T) => string): Promise<T> {
  const heard: string[] = []
  const news = new EventEmitter()
  const unlisten = listen(cacheInvalidation, ({ origin, tags }) => {
    if (origin !== 'other') return
    heard.push(...tags)
    news.emit('heard')
  })
  try {
    const result = await act()
    while (heard.filter((tag) => tag === tagOf(result)).length < 2) await once(news, 'heard')
    return result
  } finally {
    unlisten()
  }
}
