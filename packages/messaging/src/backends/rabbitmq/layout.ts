import type { SubscriptionSpec } from '../../backend/topology_port.ts'
import { type Level, levels } from '../../message.ts'
import { LEVEL_HEADER } from './envelope.ts'
import { levelOf, type Names } from './names.ts'

/** How queues are to be made here. */
export interface QueueStyle {
  readonly queueType: 'quorum' | 'classic'
}

/** A queue of one level of a subscription. */
export interface LevelQueue {
  readonly level: Level
  readonly name: string
}

/** One arrow from an exchange. */
export interface Arrow {
  readonly to: 'queue' | 'exchange'
  readonly destination: string
  readonly source: string
  readonly pattern: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** What a subscription is in the broker. */
export interface Layout {
  readonly queues: readonly LevelQueue[]
  readonly queueArguments: Readonly<Record<string, unknown>>
  readonly dead: string
  /** Exchanges of its own, which part messages by their level. */
  readonly exchanges: readonly { readonly name: string; readonly type: string; readonly alternate?: string }[]
  readonly arrows: readonly Arrow[]
}

/** Deliveries after which a quorum queue gives a message up where nobody should: browsing counts as delivery, and newer brokers have a limit of 20. */
const ENDLESS = 1_000_000

/** The arguments of a queue that keeps what it has. */
export function keepingArguments({ queueType }: QueueStyle): Record<string, unknown> {
  return { 'x-queue-type': queueType, ...(queueType === 'quorum' && { 'x-delivery-limit': ENDLESS }) }
}

/** What a subscription needs in the broker. */
export function layoutOf(names: Names, spec: SubscriptionSpec, style: QueueStyle): Layout {
  const kept = levels.filter((level) => spec.levels.includes(level))
  const queues = kept.map((level) => ({ level, name: names.queue(spec.name, level, kept) }))
  const isParted = queues.length > 1
  const parting = names.parting(spec.name)
  const target = isParted ? parting : queues[0]!.name
  return {
    queues,
    queueArguments: queueArguments(names, spec, style),
    dead: names.dead(spec.name),
    exchanges: isParted
      ? [
          { name: names.unparted(spec.name), type: 'fanout' },
          { name: parting, type: 'headers', alternate: names.unparted(spec.name) },
        ]
      : [],
    arrows: [
      ...(isParted ? partingArrows(names, spec, kept) : []),
      ...spec.bindings.map(({ exchange, pattern }) => ({
        to: isParted ? ('exchange' as const) : ('queue' as const),
        destination: target,
        source: names.exchange(exchange),
        pattern,
        arguments: {},
      })),
    ],
  }
}

/** From the parting exchange to the queues; a message that says no level is normal. */
function partingArrows(names: Names, { name }: SubscriptionSpec, kept: readonly Level[]): Arrow[] {
  const parted = levels
    .filter((level) => level !== 'normal')
    .map((level) => ({
      to: 'queue' as const,
      destination: names.queue(name, levelOf(level, kept), kept),
      source: names.parting(name),
      pattern: '',
      arguments: { 'x-match': 'all', [LEVEL_HEADER]: level },
    }))
  const normal = names.queue(name, levelOf('normal', kept), kept)
  return [{ to: 'queue', destination: normal, source: names.unparted(name), pattern: '', arguments: {} }, ...parted]
}

/**
 * The broker's dead-letter exchange is given what dies of its consumers, and nothing else: what a handler gives up goes to the dead letters
 * by our own, confirmed publish. A queue has one such exchange for all reasons, so one with a ttl has none (what is too old is dropped),
 * and there the consumer itself counts how often a message came back.
 */
function queueArguments(names: Names, spec: SubscriptionSpec, { queueType }: QueueStyle): Record<string, unknown> {
  const hasBrokersLetters = spec.ttl === undefined && queueType === 'quorum'
  return {
    'x-queue-type': queueType,
    ...(queueType === 'quorum' && { 'x-delivery-limit': hasBrokersLetters ? spec.maxCrashes : ENDLESS }),
    ...(hasBrokersLetters && {
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': names.dead(spec.name),
      'x-dead-letter-strategy': 'at-least-once',
    }),
    // At-least-once dead-lettering needs it as well.
    'x-overflow': 'reject-publish',
    ...(spec.ttl !== undefined && { 'x-message-ttl': spec.ttl }),
    // A quorum queue begins to refuse when it is over its limit, not when it has reached it.
    ...(spec.maxLength !== undefined && { 'x-max-length': spec.maxLength - (queueType === 'quorum' ? 1 : 0) }),
  }
}

/** Arrows of the first that the second has not. */
export function arrowsWithout(old: readonly Arrow[], now: readonly Arrow[]): Arrow[] {
  const keys = new Set(now.map(keyOf))
  return old.filter((arrow) => !keys.has(keyOf(arrow)))
}

const keyOf = (arrow: Arrow) =>
  JSON.stringify([arrow.to, arrow.destination, arrow.source, arrow.pattern, arrow.arguments])
