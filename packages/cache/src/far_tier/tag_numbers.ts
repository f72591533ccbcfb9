import type { Clock } from '@tailwater/core'
import type { EnvelopeTag } from '../envelope/envelope.ts'
import type { Tag } from '../tag.ts'
import { isFence } from '../tag_name.ts'
import type { TagTable } from '../tag_table.ts'
import type { Trust } from '../trust.ts'
import type { FarTier } from './far_tier.ts'
import { Gather } from './gather.ts'
import { PatternLog } from './pattern_log.ts'

/** Whether an envelope's tags are what they were when its value was loaded. */
export type Verdict = 'valid' | 'void' | 'unknown'

/** Tags that were found to be valid, and what follows from that for as long as nothing changes. */
export interface Judgement {
  /** The very list that was judged. */
  readonly tags: readonly EnvelopeTag[]
  /** What a near entry holds of them: without fences. */
  readonly near: readonly Tag[]
  /** Since when the numbers are known at least. */
  readonly knownAt: number
  /** `TagTable.changes` then. */
  readonly changes: number
}

interface Question {
  readonly names: readonly string[]
  settle(): void
}

/**
 * What this process knows of the store's numbers of tags.
 *
 * Mostly it knows them all: the bus tells of every change. What it does not know it asks for, the questions of one turn together.
 */
export class TagNumbers {
  readonly #clock: Clock
  readonly #table: TagTable
  readonly #trust: Trust
  readonly #far: FarTier
  /** What is known of the fences' growth. */
  readonly patterns = new PatternLog()
  readonly #questions = new Gather<Question>((questions) => void this.#ask(questions))

  constructor(clock: Clock, table: TagTable, trust: Trust, far: FarTier) {
    this.#clock = clock
    this.#table = table
    this.#trust = trust
    this.#far = far
  }

  /** @param key with its namespace */
  verdictOn(key: string, tags: readonly EnvelopeTag[]): Verdict {
    const since = this.#trust.believedSince(this.#clock.elapsed())
    let verdict: Verdict = 'valid'
    for (const { name, number } of tags) {
      if (!this.#far.isTagTrusted(name)) return 'void'
      const known = this.#table.numberOf(this.#table.take(name), since)
      // An envelope that knows more than this process: the news of it is on its way.
      if (known === undefined || known < number) verdict = 'unknown'
      else if (known > number && !(isFence(name) && this.patterns.spares(name, number, known, key))) return 'void'
    }
    return verdict
  }

  /**
   * The short way for tags that are all what they were, while the bus tells of every change: with the last judgement at hand a comparison. Undefined where it takes more to
   * tell; that is what `verdictOn` is for.
   */
  judge(tags: readonly EnvelopeTag[], last: Judgement | undefined): Judgement | undefined {
    const now = this.#clock.elapsed()
    if (!this.#trust.followsBus(now) || !this.#far.areTagsTrusted) return undefined
    const { changes } = this.#table
    if (last !== undefined && last.tags === tags && last.changes === changes) return last
    const near: Tag[] = []
    let knownAt = Number.POSITIVE_INFINITY
    for (const { name, number } of tags) {
      const tag = this.#table.take(name)
      if (tag.number !== number) return undefined
      knownAt = Math.min(knownAt, this.#table.knownAt(tag))
      if (!isFence(name)) near.push(tag)
    }
    return this.#table.changes === changes ? { tags, near, knownAt, changes } : undefined
  }

  /** When the numbers of tags so judged were the store's for certain, as `certainAt` has it. */
  judgedAt({ knownAt }: Judgement): number {
    return Math.max(this.#trust.heardUntil(this.#clock.elapsed()), knownAt)
  }

  /**
   * When the numbers of an envelope's tags were the store's for certain. What is judged by them is no younger: otherwise the trust in a silent bus, and that
   * in an entry, would add up.
   */
  certainAt(tags: readonly EnvelopeTag[]): number {
    const heardUntil = this.#trust.heardUntil(this.#clock.elapsed())
    let at = Number.POSITIVE_INFINITY
    for (const { name } of tags) at = Math.min(at, Math.max(heardUntil, this.#table.knownAt(this.#table.take(name))))
    return at
  }

  /** The tags with their numbers; undefined if one is not known. */
  known(tags: readonly Tag[]): EnvelopeTag[] | undefined {
    const since = this.#trust.believedSince(this.#clock.elapsed())
    const numbers: EnvelopeTag[] = []
    for (const tag of tags) {
      const number = this.#table.numberOf(tag, since)
      if (number === undefined || !this.#far.isTagTrusted(tag.name)) return undefined
      numbers.push({ name: tag.name, number })
    }
    return numbers
  }

  /** Asks the store for them; resolves whether or not it could tell. */
  learn(names: readonly string[]): Promise<void> {
    return new Promise((settle) => this.#questions.add({ names, settle }))
  }

  /** The tags with their numbers, asked for if need be; undefined if the store cannot tell, or must not be believed. */
  async find(tags: readonly Tag[]): Promise<EnvelopeTag[] | undefined> {
    const known = this.known(tags)
    if (known || !this.#far.isUp) return known
    await this.learn(tags.map(({ name }) => name))
    return this.known(tags)
  }

  async #ask(questions: Question[]): Promise<void> {
    const names = [...new Set(questions.flatMap((question) => question.names))]
    const at = this.#clock.elapsed()
    const numbers = await this.#far.ask('numbers', (store) => store.tags.numbers(names, this.#table.greatest))
    if (numbers)
      for (const [i, name] of names.entries()) {
        if (isFence(name)) this.patterns.lose(name, numbers[i]!)
        this.#table.learn(name, numbers[i]!, at)
      }
    for (const { settle } of questions) settle()
  }
}
