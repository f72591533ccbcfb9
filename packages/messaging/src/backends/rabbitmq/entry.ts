import type { Options } from 'amqplib'
import type { PublishOutcome } from '../../backend/publish_port.ts'

/** One message between its publisher and the broker. */
export interface Entry {
  readonly exchange: string
  readonly routingKey: string
  readonly content: Buffer
  readonly properties: Options.Publish
  readonly deadline: number
  wasWritten: boolean
  resolve(outcome: PublishOutcome): void
  reject(error: Error): void
}
