import { createHash } from 'node:crypto'
import { type Clock, hasCode, sleep } from '@tailwater/core'
import type { DeathReason } from '../../backend/consume_port.ts'
import type { DeadLetter } from '../../backend/dead_letter_port.ts'
import { Acks } from './acks.ts'
import { type Channel, type ChannelModel, closeQuietly, openChannel, replyCode } from './amqp.ts'
import { type Reader, toExtras, toMessage, type Wire } from './envelope.ts'
import { explainDeclaration } from './mismatch.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'

/** What becomes of a letter that was looked at: it stays, it goes, or nothing more is looked at. */
export type Verdict = 'keep' | 'take' | 'stop'

/** Letters that are looked at in one go; beyond it a queue is not a list any more. */
export const BROWSE_LIMIT = 50_000
/** Milliseconds without a letter after which there is none, whatever the count said: others may hold some. */
const SILENCE = 1_000
/** Milliseconds for the turn of another who looks through the same queue. */
const TURN = 15_000

/**
 * Looks through a queue from its head. The broker gives letters out one by one and takes them back, in their places, when the channel is closed; so
 * looking is consuming without acknowledgement. An exclusive consumer keeps others out meanwhile, in other processes too: to them the queue
 * would look empty.
 */
export async function browse(
  options: ResolvedRabbitMqOptions,
  connection: ChannelModel,
  queue: string,
  see: (wire: Wire, index: number) => Verdict | Promise<Verdict>,
): Promise<void> {
  const { clock } = options
  const deadline = clock.elapsed() + TURN
  for (;;) {
    const channel = await openChannel(connection)
    try {
      const { messageCount } = await channel.checkQueue(queue)
      if (messageCount > 0) await look(channel, options, { queue, count: Math.min(messageCount, BROWSE_LIMIT) }, see)
      return
    } catch (error) {
      if (replyCode(error) !== 403 || clock.elapsed() > deadline) throw explainDeclaration(error)
      await sleep(clock, 10 + Math.random() * 40)
    } finally {
      await closeQuietly(channel)
    }
  }
}

async function look(
  channel: Channel,
  { clock }: ResolvedRabbitMqOptions,
  { queue, count }: { queue: string; count: number },
  see: (wire: Wire, index: number) => Verdict | Promise<Verdict>,
): Promise<void> {
  const acks = new Acks(channel)
  await channel.prefetch(Math.min(count, BROWSE_LIMIT))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let seen = 0
  let taken = 0
  let turn: Promise<unknown> = Promise.resolve()
  let isOver = false
  let last = clock.elapsed()
  const watch = () => {
    if (isOver) return
    if (clock.elapsed() - last > SILENCE) resolve()
    else clock.after(SILENCE / 4, watch)
  }
  clock.after(SILENCE / 4, watch)
  channel.on('close', () => reject(new Error('the channel was closed')))
  const { consumerTag } = await channel.consume(
    queue,
    (wire) => {
      if (!wire || isOver || seen >= count) return
      const index = seen++
      last = clock.elapsed()
      acks.track(wire.fields.deliveryTag)
      turn = turn.then(async () => {
        if (isOver) return
        const verdict = await see(wire, index)
        last = clock.elapsed()
        if (verdict === 'take') {
          await acks.ack(wire.fields.deliveryTag)
          taken++
        }
        if (verdict === 'stop' || index + 1 >= count) resolve()
      })
      turn.catch(reject)
    },
    { exclusive: true },
  )
  try {
    await promise
  } finally {
    isOver = true
    await turn.catch(() => {})
    if (!acks.isClosed) {
      await channel.cancel(consumerTag)
      await giveBack(channel, { queue, count: count - taken, clock })
    }
  }
}

/** Gives back what is held, and waits until it is seen to be there again: who looks next must not find less. */
async function giveBack(
  channel: Channel,
  { queue, count, clock }: { queue: string; count: number; clock: Clock },
): Promise<void> {
  channel.nackAll(true)
  const deadline = clock.elapsed() + SILENCE
  while ((await channel.checkQueue(queue)).messageCount < count && clock.elapsed() < deadline) await sleep(clock, 10)
}

/** A dead letter as it is read; those that the broker itself put there died of their consumers. */
export function toLetter(subscription: string, wire: Wire, reader: Reader): DeadLetter {
  const { notes, letter } = toExtras(wire)
  const message = toMessage(wire, reader)
  const death = firstDeath(wire)
  return {
    id: letterId(wire),
    subscription,
    message: death && letter.id === undefined ? { ...message, ...wayOf(death, wire, message, reader) } : message,
    reason: (letter.reason as DeathReason | undefined) ?? reasonOf(death),
    notes,
    diedAt: letter.diedAt ?? (death?.time === undefined ? undefined : death.time * 1_000),
  }
}

interface Death {
  reason?: string
  exchange?: string
  'routing-keys'?: string[]
  time?: number
}

function firstDeath({ properties }: Wire): Death | undefined {
  const deaths = properties.headers?.['x-death'] as unknown as
    | (Death & { time?: { value?: number } | number })[]
    | undefined
  const death = deaths?.[0]
  if (!death) return undefined
  const time = typeof death.time === 'object' ? (death.time as { value?: number }).value : death.time
  const { time: _, ...rest } = death
  return time === undefined ? rest : { ...rest, time }
}

const reasonOf = (death: Death | undefined): DeathReason =>
  death?.reason === 'delivery_limit' ? 'poison' : death?.reason === 'expired' ? 'expired' : 'foreign'

/** The broker's own record of how the message came; unless it had left its way before, when ours holds. */
function wayOf(death: Death, { properties }: Wire, { exchange, topic }: DeadLetter['message'], { names }: Reader) {
  if (properties.headers?.['tw-exchange'] !== undefined) return { exchange, topic }
  return {
    exchange: names.exchangeHere(death.exchange ?? exchange),
    topic: death['routing-keys']?.[0] ?? topic,
  }
}

/** The id of a letter: ours, the message's, or a fingerprint of what somebody else put there. */
export function letterId({ properties, content }: Wire): string {
  const given = properties.headers?.['tw-letter'] ?? properties.messageId
  if (typeof given === 'string') return given
  return createHash('sha1').update(content).update(JSON.stringify(properties)).digest('hex')
}

/** Whether it says that there is no such queue: nothing has ever died. */
export const isNoQueue = (error: unknown) =>
  hasCode(error, 'E_MESSAGE_TOPOLOGY') &&
  error.details['queue'] !== undefined &&
  /there is no queue/.test(error.message)
