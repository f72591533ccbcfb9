import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { it } from 'node:test'
import {
  type Cancel,
  type HttpErrorEvent,
  type HttpRequestEvent,
  httpError,
  httpRequest,
  listen,
} from '@tailwater/core'
import type { Exceptions, Served } from './adapter_under_test.ts'

/** A reply as it came over the wire. */
export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  text: string
  json<T = Record<string, unknown>>(): T
}

/** What a request is made of; the method is GET unless there is a body. */
export interface Ask {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

/** Sends a request as it stands, which `fetch` would tidy up. */
export async function ask({ url }: Served, path: string, { method, headers = {}, body }: Ask = {}): Promise<Answer> {
  const type =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const sent = begin(url, path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...type, ...headers },
  })
  sent.end(body)
  const response = await responseTo(sent)
  const text = (await buffer(response)).toString()
  return { status: response.statusCode!, headers: response.headers, text, json: () => JSON.parse(text) }
}

/** Begins a request and leaves its end to the caller. */
export function begin(
  url: string,
  path: string,
  options: { method: string; headers: Record<string, unknown> },
): ClientRequest {
  const { hostname, port } = new URL(url)
  const headers = options.headers as Record<string, string>
  return request({ hostname, port, path, method: options.method, headers, agent: false })
}

/** The head of the reply to a request. */
export function responseTo(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => sent.once('response', resolve).once('error', reject))
}

/** What the channels say while a clause runs. */
export interface Journal {
  errors: HttpErrorEvent[]
  /** The event of the answered request for a path; waits for it. */
  request(path: string): Promise<HttpRequestEvent>
  close: Cancel
}

/** Begins to listen. */
export function openJournal(): Journal {
  const errors: HttpErrorEvent[] = []
  const seen: HttpRequestEvent[] = []
  const waiting = new Set<() => void>()
  const cancels = [
    listen(httpError, (event) => void errors.push(event)),
    listen(httpRequest, (event) => {
      seen.push(event)
      for (const wake of waiting) wake()
    }),
  ]
  return {
    errors,
    request: (path) =>
      new Promise((resolve) => {
        const look = () => {
          const event = seen.find((one) => one.path === path)
          if (!event) return
          waiting.delete(look)
          resolve(event)
        }
        waiting.add(look)
        look()
      }),
    close: () => {
      for (const cancel of cancels) cancel()
    },
  }
}

/** One clause of the contract, with a server of its own. */
export function clauseOf(except: Exceptions) {
  return (name: string, open: () => Promise<Served>, body: (served: Served, journal: Journal) => Promise<void>) => {
    if (except[name] !== undefined) return
    it(name, async () => {
      const journal = openJournal()
      const served = await open()
      try {
        await body(served, journal)
      } finally {
        journal.close()
        await served.close()
      }
    })
  }
}

/** A promise and what settles it. */
export function gate<T = void>() {
  return Promise.withResolvers<T>()
}
