import { nearestName, show } from '@tailwater/core'
import { messagingError } from './errors.ts'

/** Names of exchanges, subscriptions and policies. */
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/
/** Bytes that AMQP has for names and topics, with room for what is put before and behind them. */
const MAX_NAME = 100
const MAX_TOPIC = 255

/** @throws E_MESSAGE_NAME */
export function checkName(what: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && name.length <= MAX_NAME && NAME.test(name)) return
  throw messagingError(
    'E_MESSAGE_NAME',
    `${what} must be named by lower-case words joined by hyphens, of at most ${MAX_NAME} characters, got ${show(name)}`,
    { name },
  )
}

/** @throws E_MESSAGE_TOPIC */
export function checkTopic(topic: unknown): asserts topic is string {
  if (typeof topic === 'string' && topic !== '' && Buffer.byteLength(topic) <= MAX_TOPIC && isPlain(topic)) return
  throw messagingError(
    'E_MESSAGE_TOPIC',
    `a topic must be words joined by dots, such as 'order.placed', without wildcards, of at most ${MAX_TOPIC} bytes, got ${show(topic)}`,
    { topic },
  )
}

/** The topic of an exchange that says which ones it has. @throws E_MESSAGE_TOPIC */
export function checkKnownTopic(exchange: string, topic: string, known: readonly string[]): void {
  if (known.includes(topic)) return
  const suggestion = nearestName(topic, known)
  const hint = suggestion ? `did you mean '${suggestion}'?` : `known topics: ${known.join(', ')}`
  throw messagingError('E_MESSAGE_TOPIC', `exchange '${exchange}' has no topic '${topic}': ${hint}`, {
    exchange,
    topic,
    suggestion,
  })
}

/** @throws E_MESSAGE_PATTERN */
export function checkPattern(type: 'topic' | 'direct' | 'fanout', pattern: unknown): asserts pattern is string {
  if (type === 'fanout' && pattern === '') return
  const wrong = (why: string) =>
    messagingError('E_MESSAGE_PATTERN', `${show(pattern)} is no pattern of a ${type} exchange: ${why}`, {
      pattern,
      type,
    })
  if (type === 'fanout') throw wrong("everything is for everybody; leave it out, or say '#' of a topic exchange")
  if (typeof pattern !== 'string' || pattern === '' || Buffer.byteLength(pattern) > MAX_TOPIC)
    throw wrong(`it must be words joined by dots, of at most ${MAX_TOPIC} bytes`)
  const words = pattern.split('.')
  if (words.includes('')) throw wrong('a word between two dots is empty')
  if (pattern.includes('\0') || /\s/.test(pattern)) throw wrong('spaces are not for topics')
  if (type === 'direct' && /[*#]/.test(pattern))
    throw wrong("it compares whole topics; '*' and '#' are for topic exchanges")
  if (words.some((word) => word.length > 1 && /[*#]/.test(word)))
    throw wrong("'*' and '#' stand for whole words: 'order.*', not 'order*'")
}

const isPlain = (topic: string) => !topic.split('.').includes('') && !/[*#\s\0]/.test(topic)
