import {
  type Bus,
  type BusSubscriber,
  backgroundError,
  type Clock,
  type Duration,
  duration,
  hasCode,
  integer,
  resolveOptions,
  systemClock,
  text,
  toError,
  value,
} from '@tailwater/core'
import { BEGINNING, type BusLog, createBusLog, type LogEntry, type LogPosition, parseNews } from './bus_log.ts'
import type { Redis } from './redis.ts'

/**
 * Broadcast over Redis.
 *
 * Problem: PUBLISH reaches whoever is connected at the moment, and says nothing to those who were not; what they missed they never
 * know of.
 *
 * Method: a message is appended to a stream and published, in one script. Its number in the stream is its sequence. Who hears it checks that
 * it follows the last one seen (by number, and by the id of the one before); if so it is delivered without another look,
 * otherwise the reader reads on in the stream from where it was. It does the same after each reconnect and every `pollInterval`,
 * because a connection may be dead without anybody knowing. The stream is cut off after `keep` messages. A reader that finds its
 * last message gone, or another one in its place (the data was lost, or a failover to a replica that had not all of it),
 * tells its subscribers of the gap and reads on from what there is.
 *
 * Numbers: a publish is one script; a delivered message costs the reader nothing more; an idle reader one XRANGE of one entry a
 * poll. In a cluster the stream is on one node, and PUBLISH goes to all.
 */

/** Options of `createRedisBus`. */
export interface RedisBusOptions {
  redis: Redis
  /** Buses of one name share their messages. @default 'main' */
  name?: string
  /** Messages kept for those who were away, at least. @default 10000 */
  keep?: number
  /** How often to look whether something was missed: `caughtUpAt` is never older while Redis answers. @default '1s' */
  pollInterval?: Duration
  clock?: Clock
}

/** A bus over Redis. It uses the connection it was given, and needs no start of its own. */
export interface RedisBus extends Bus {
  /** Reads what there is, without waiting for news of it; happens by itself after each reconnect and every `pollInterval`. */
  catchUp(): Promise<void>
}

/** Checks the options of `createRedisBus` and fills in their defaults. @throws E_OPTIONS */
export function resolveRedisBusOptions(options: RedisBusOptions) {
  const isObject = (given: unknown) => typeof given === 'object' && given !== null
  return resolveOptions('redisBus', options, {
    redis: value<Redis>('a Redis', isObject),
    name: text({ pattern: /^[\w.-]+$/, expected: 'letters, digits and . _ -', default: 'main' }),
    keep: integer({ min: 1, default: 10_000 }),
    pollInterval: duration({ min: 10, default: '1s' }),
    clock: value<Clock>('a Clock', isObject, { default: systemClock }),
  })
}

/** Makes a bus over a connection to Redis. @throws E_OPTIONS on a wrong option */
export function createRedisBus(options: RedisBusOptions): RedisBus {
  const { redis, name, keep, pollInterval, clock } = resolveRedisBusOptions(options)
  const log = createBusLog(redis, name, keep)
  const audience = createAudience()
  const reader = createReader(log, audience, clock)
  let listening: Promise<() => void> | undefined
  /** Subscribers, those on their way included. */
  let interested = 0

  /** Listens to the channel and polls, until the result is called. */
  async function listen(): Promise<() => void> {
    const stop = await redis.subscribe(log.channel, { onMessage: reader.hear, onLive: () => void reader.catchUp() })
    let isOver = false
    let cancel = () => {}
    const poll = () => {
      if (!isOver) cancel = clock.after(pollInterval, () => void reader.catchUp().finally(poll))
    }
    poll()
    return () => {
      isOver = true
      cancel()
      stop()
    }
  }

  return {
    get caughtUpAt() {
      return reader.caughtUpAt
    },
    publish: (topic, payload) => log.append(topic, payload),
    catchUp: reader.catchUp,
    async subscribe(topic, subscriber) {
      interested++
      listening ??= listen()
      try {
        await listening
        await reader.begin()
      } catch (error) {
        await loseOne()
        throw error
      }
      const leave = audience.join(topic, subscriber)
      let hasLeft = false
      return async () => {
        if (hasLeft) return
        hasLeft = true
        leave()
        await loseOne()
      }
    },
  }

  async function loseOne(): Promise<void> {
    if (--interested > 0) return
    const ending = listening
    listening = undefined
    reader.end()
    const stop = await ending?.catch(() => undefined)
    stop?.()
  }
}

/** The subscribers of this end. */
interface Audience {
  join(topic: string, subscriber: BusSubscriber): () => void
  tell(entry: LogEntry): void
  tellGap(reason: 'epoch' | 'gap' | 'reconnect'): void
}

function createAudience(): Audience {
  const seats = new Set<{ topic: string; subscriber: BusSubscriber; turn: Promise<void> }>()
  /** One at a time for each subscriber, in order; a failing one neither stops nor delays the others. */
  function take(seat: { turn: Promise<void> }, act: () => void | Promise<void>): void {
    seat.turn = seat.turn.then(act).catch((error: unknown) => {
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'redis-bus', error: toError(error) })
    })
  }
  return {
    join(topic, subscriber) {
      const seat = { topic, subscriber, turn: Promise.resolve() }
      seats.add(seat)
      return () => void seats.delete(seat)
    },
    tell(entry) {
      const message = { topic: entry.topic, payload: entry.payload, sequence: entry.sequence }
      for (const seat of seats)
        if (seat.topic === entry.topic)
          take(seat, () => (seats.has(seat) ? seat.subscriber.onMessage(message) : undefined))
    },
    tellGap(reason) {
      for (const seat of seats) take(seat, () => (seats.has(seat) ? seat.subscriber.onGap(reason) : undefined))
    },
  }
}

/** Failures that the connection tells of itself; the next poll tries again. */
const EXPECTED = ['E_REDIS_UNAVAILABLE', 'E_REDIS_TIMEOUT', 'E_REDIS_CLOSED']

function createReader(log: BusLog, audience: Audience, clock: Clock) {
  /** Undefined while the place to begin is not known, because Redis has been away from the first. */
  let position: LogPosition | undefined
  let reading: Promise<void> | undefined
  let isStale = false
  /** When the last round began that found the end of the log. */
  let caughtUpAt = Number.NEGATIVE_INFINITY

  function deliver(entry: LogEntry): void {
    position = { sequence: entry.sequence, id: entry.id }
    audience.tell(entry)
  }

  async function readOn(): Promise<void> {
    if (!position) {
      const tail = await log.tail()
      // Found meanwhile by `begin`: what came after that place is not missed.
      if (!position) {
        position = tail
        audience.tellGap('reconnect')
      }
    }
    for (let isMore = true; isMore && position; ) {
      const page = await log.after(position)
      if (!position) return
      if (page.broken) {
        audience.tellGap(page.broken)
        position = BEGINNING
        continue
      }
      for (const entry of page.entries) deliver(entry)
      isMore = page.isMore
    }
  }

  /** Calls meanwhile share the next round: what was published before a call is read by it. */
  async function rounds(): Promise<void> {
    try {
      do {
        isStale = false
        const from = clock.elapsed()
        await readOn()
        if (position) caughtUpAt = from
      } while (isStale)
    } catch (error) {
      if (EXPECTED.some((code) => hasCode(error, code))) return
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'redis-bus', error: toError(error) })
    }
  }

  function catchUp(): Promise<void> {
    isStale = true
    reading ??= rounds().finally(() => {
      reading = undefined
    })
    return reading
  }

  return {
    catchUp,
    get caughtUpAt() {
      return caughtUpAt
    },
    hear(message: string): void {
      const { entry, before } = parseNews(message)
      if (entry.id === position?.id) return
      const isNext = !reading && position && entry.sequence === position.sequence + 1n && before === position.id
      if (isNext) deliver(entry)
      else void catchUp()
    },
    /** Finds the place to begin: what is published from now on will be delivered. */
    async begin(): Promise<void> {
      if (position) return
      // Away: `readOn` finds the place later, and tells of the gap.
      const from = clock.elapsed()
      const tail = await log.tail().catch((error: unknown) => {
        if (!EXPECTED.some((code) => hasCode(error, code))) throw error
        return undefined
      })
      if (tail && !position) caughtUpAt = from
      position ??= tail
    },
    end(): void {
      position = undefined
      caughtUpAt = Number.NEGATIVE_INFINITY
    },
  }
}
