import { json, type Route, route, Text } from '@tailwater/http'
import type { JobOptions, Jobs } from '@tailwater/jobs'
import { Type } from 'typebox'
import { changing, tellChange } from '../../change.ts'
import { asked } from '../../refusal.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { Moment, Name, PriorityOf, StoredJob } from './job_schemas.ts'
import { existingQueue, queueParams } from './queues.ts'

/** Milliseconds of 365 days. */
const YEAR = 31_536_000_000

const body = Type.Object({
  kind: Name,
  payload: Type.Unknown({
    description: 'What the handler gets. Checked if this process defines the kind, else stored as it is.',
  }),
  delay: Type.Optional(Type.Integer({ minimum: 0, maximum: YEAR, description: 'Milliseconds until it is due.' })),
  runAt: Type.Optional(Moment),
  priority: Type.Optional(PriorityOf),
  key: Type.Optional(Text(255)),
  tags: Type.Optional(Type.Array(Text(255), { maxItems: 32 })),
  attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  timeout: Type.Optional(
    Type.Integer({ minimum: 1, maximum: YEAR, description: 'Milliseconds that an attempt may take.' }),
  ),
})

/** Adding a job by hand. */
export function jobAddRoute(desk: Desk, jobs: Jobs): Route {
  return route({
    method: 'POST',
    path: `${desk.mount}/api/queues/:queue/jobs`,
    id: 'queueAdd',
    summary: 'Add a job to a queue',
    tags: ['jobs'],
    security: SECURITY,
    schema: { params: queueParams, body, response: { 201: StoredJob } },
    use: changing(desk),
    async handler({ params: { queue }, body: { kind, payload, ...options }, exchange }) {
      await existingQueue(jobs, queue)
      const request = { kind, payload, options: options as JobOptions }
      const stored = await asked(() => jobs.operate.add(request, { queue }))
      tellChange(exchange, 'queueAdd', queue, { kind, jobId: stored.id })
      return json(stored, { status: 201 })
    },
  })
}
