import { createHash } from 'node:crypto'
import type { Cache } from '@tailwater/cache'
import type { Keeping } from './lifetimes.ts'

/** What a load says of what it brings. */
export interface Loading {
  /** What the result is forgotten by. */
  addTags(...tags: string[]): void
}

/** Brings what is not kept. */
export type LoadAnswer<Value> = (loading: Loading) => Promise<Value>

/** Keeps what was worked out for one question, for all who ask the same. */
export interface Answers<Value> {
  /** @param question everything that the answer depends on, and the caller where it depends on that */
  answer(question: string, load: LoadAnswer<Value>): Promise<Value>
}

interface Question<Value> {
  text: string
  load: LoadAnswer<Value>
}

/** Characters of a question that is its own key: cheaper than hashing, and readable. */
const READABLE = 160

/** Longer questions, cursors above all, are known by 192 bits of their SHA-256. */
function keyOf(question: string): string {
  if (question.length <= READABLE) return question
  return createHash('sha256').update(question).digest('base64url').slice(0, 32)
}

/** Keeps answers in a namespace of the cache. @throws E_OPTIONS for a name that is taken */
export function keepAnswers<Value>(cache: Cache, name: string, keeping: Keeping): Answers<Value> {
  const namespace = cache.define<Question<Value>, Value>(name, {
    ...keeping,
    key: ({ text }) => keyOf(text),
    load: ({ load }, context) => load(context),
  })
  return { answer: (text, load) => namespace.get({ text, load }) }
}

const NOTHING: Loading = { addTags() {} }

/** Keeps nothing: each question is worked out anew. */
export function forgetAnswers<Value>(): Answers<Value> {
  return { answer: (_question, load) => load(NOTHING) }
}
