import type { Readable } from 'node:stream'
import { type Route, route, sse } from '@tailwater/http'
import { Type } from 'typebox'
import { authenticate, guard, notStored } from '../guard.ts'
import { PointFeed } from '../point_feed.ts'
import { type Desk, SECURITY } from './desk.ts'

/** Streams that are open, so that they end when the dashboard stops. */
export type OpenStreams = Set<PointFeed>

/**
 * Every second's values as they come: server-sent events.
 *
 * The first event, `history`, brings what came before or was missed, by column; each following one, `point`, one second.
 */
export function streamRoute({ mount, options, reads, authenticator }: Desk, open: OpenStreams): Route {
  const { telemetry, clock } = options
  return route({
    method: 'GET',
    path: `${mount}/api/stream`,
    id: 'dashboardStream',
    summary: 'Live values over server-sent events',
    description:
      'First an event `history` with the last `seconds`, or with what came after `after` (or Last-Event-ID); then an event `point` each second.',
    tags: ['metrics'],
    security: SECURITY,
    schema: {
      query: Type.Object({
        seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
        after: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
      }),
      headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 20 })) }),
      response: { 200: Type.String({ contentMediaType: 'text/event-stream' }) },
    },
    use: [notStored, authenticate(authenticator), ...reads, guard()],
    handler({ query, headers, exchange }) {
      const now = clock.now()
      const resumed = Number(headers['last-event-id'] || Number.NaN)
      const after = Number.isFinite(resumed) ? resumed : (query.after ?? now - (query.seconds ?? 0) * 1_000)
      const feed = new PointFeed({
        telemetry,
        after,
        isAllowed: async () => (await authenticator(exchange)) !== undefined,
      })
      const reply = sse(feed, { clock })
      open.add(feed)
      feed.onEnd((reason) => {
        open.delete(feed)
        // Whoever does not read is cut off: what is buffered for them would grow with every second.
        if (reason === 'slow') (reply.body as Readable).destroy()
      })
      if (options.closing?.aborted) feed.end('closed')
      return reply
    },
  })
}
