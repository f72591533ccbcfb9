import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { matchesPattern } from '../../src/routing/pattern.ts'

/** The same by recursion, as AMQP 0-9-1 words it. */
function matchesPlainly([part, ...parts]: string[], topic: string[]): boolean {
  if (part === undefined) return topic.length === 0
  if (part === '#')
    return matchesPlainly(parts, topic) || (topic.length > 0 && matchesPlainly(['#', ...parts], topic.slice(1)))
  return topic.length > 0 && (part === '*' || part === topic[0]) && matchesPlainly(parts, topic.slice(1))
}

it('patterns match as the protocol words it, whatever they are', () => {
  const pattern = fc.array(fc.constantFrom('a', 'b', '*', '#'), { minLength: 1, maxLength: 7 })
  const topic = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 7 })
  fc.assert(
    fc.property(pattern, topic, (words, said) => matchesPattern(words, said) === matchesPlainly(words, said)),
    { numRuns: 5_000 },
  )
})

it('many hashes take no time that grows beyond their number times the words', () => {
  const pattern = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? '#' : 'a'))
  assert.equal(
    matchesPattern(
      [...pattern, 'b'],
      Array.from({ length: 125 }, () => 'a'),
    ),
    false,
  )
})
