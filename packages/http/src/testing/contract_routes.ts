import { Readable } from 'node:stream'
import { currentContext } from '@tailwater/core'
import { type TSchema, Type } from 'typebox'
import { problem } from '../problem.ts'
import { noContent, stream, text } from '../reply.ts'
import { type Route, route } from '../route.ts'
import { Id } from '../schemas.ts'
import { sse } from '../sse.ts'

const anything = { response: { 200: Type.Unknown() as TSchema } }

/** What a clause can see of the routes from inside the process. */
export interface Insight {
  /** Called with the signal of each request to `/wait`. */
  onWait?(signal: AbortSignal): void
}

/** The routes that the contract is tried on. */
export function contractRoutes(insight: Insight = {}): Route[] {
  return [
    route({
      method: 'GET',
      path: '/things/:id',
      id: 'showThing',
      summary: 'One thing',
      schema: {
        params: Type.Object({ id: Id }),
        query: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
          tag: Type.Optional(Type.Array(Type.String())),
          deep: Type.Optional(Type.Boolean()),
          name: Type.Optional(Type.String({ maxLength: 20 })),
        }),
        ...anything,
      },
      async handler({ params, query }) {
        await new Promise((resolve) => setImmediate(resolve))
        return { ...params, ...query, context: currentContext()?.requestId }
      },
    }),
    route({
      method: 'POST',
      path: '/things',
      id: 'createThing',
      summary: 'A new thing',
      bodyLimit: 10_000,
      schema: {
        body: Type.Object({
          name: Type.String({ minLength: 1, maxLength: 5_000 }),
          price: Type.Number({ minimum: 0 }),
          extra: Type.Optional(Type.Object({ note: Type.String() })),
        }),
        ...anything,
      },
      handler: ({ body }) => ({ ...body, context: currentContext()?.requestId }),
    }),
    route({
      method: 'DELETE',
      path: '/things/:id',
      id: 'deleteThing',
      summary: 'Gone',
      schema: { params: Type.Object({ id: Id }), response: { 204: undefined } },
      handler: () => noContent(),
    }),
    ...faults(),
    ...streams(insight),
  ]
}

function faults(): Route[] {
  return [
    route({
      method: 'GET',
      path: '/fail',
      id: 'fail',
      summary: 'Throws',
      schema: anything,
      handler: () => {
        throw new Error('secret')
      },
    }),
    route({
      method: 'GET',
      path: '/refuse',
      id: 'refuse',
      summary: 'Refuses',
      schema: anything,
      handler: () => {
        throw problem(404, 'E_NOT_FOUND', 'There is no such thing.')
      },
    }),
    route({
      method: 'GET',
      path: '/cookies',
      id: 'cookies',
      summary: 'Two cookies',
      schema: anything,
      handler: () => text('ok', { headers: { 'set-cookie': ['a=1', 'b=2'] } }),
    }),
    route({
      method: 'GET',
      path: '/broken-stream',
      id: 'brokenStream',
      summary: 'Fails at once',
      schema: anything,
      handler: () =>
        stream(
          new Readable({
            read() {
              this.destroy(new Error('secret'))
            },
          }),
        ),
    }),
  ]
}

function streams({ onWait }: Insight): Route[] {
  return [
    route({
      method: 'GET',
      path: '/stream',
      id: 'stream',
      summary: 'Ten pieces',
      schema: anything,
      handler: () => stream(Readable.from(pieces())),
    }),
    route({
      method: 'GET',
      path: '/events',
      id: 'events',
      summary: 'Events',
      schema: anything,
      handler: ({ exchange }) => sse(events(exchange.signal)),
    }),
    route({
      method: 'GET',
      path: '/wait',
      id: 'wait',
      summary: 'Answers when the client has gone',
      schema: anything,
      handler({ exchange: { signal } }) {
        onWait?.(signal)
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve({})))
      },
    }),
  ]
}

async function* pieces(): AsyncGenerator<string> {
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    yield `${i}`.repeat(1_000)
  }
}

async function* events(signal: AbortSignal): AsyncGenerator<{ data: unknown }> {
  yield { data: { n: 1, context: currentContext()?.requestId } }
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
