import { answerPlans } from '../harness/side_process.ts'
import { measureBothWays, type OpenBothWays } from './both_ways.ts'
import { openOurs } from './our_backend.ts'
import { openAmqplib, openCloudAmqp, openRabbitmqClient } from './raw_clients.ts'

/** What a round is to do. */
export interface MessagingPlan {
  readonly url: string
  readonly queue: string
  readonly count: number
}

/** Ours and the raw clients, by the name of their package. */
const sides: Record<string, OpenBothWays> = {
  ours: openOurs,
  amqplib: openAmqplib,
  'rabbitmq-client': openRabbitmqClient,
  '@cloudamqp/amqp-client': openCloudAmqp,
}

const open = sides[process.argv[2] ?? '']
if (!open) throw new Error(`there is no side ${process.argv[2]}`)

answerPlans<MessagingPlan, number>(({ url, queue, count }) => measureBothWays(open, url, queue, count))
