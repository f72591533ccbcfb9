import assert from 'node:assert/strict'
import { it } from 'node:test'
import { momentText } from '../../src/api/moment_text.ts'

it('writes a moment of the server as JSON does, whatever its fraction and the time zone of the session', () => {
  assert.equal(momentText('2026-11-22 10:30:00.123456+00'), '2026-11-22T10:30:00.123Z')
  assert.equal(momentText('2026-11-22 10:30:00.123+00'), '2026-11-22T10:30:00.123Z')
  assert.equal(momentText('2026-11-22 10:30:00.5+00'), '2026-11-22T10:30:00.500Z')
  assert.equal(momentText('2026-11-22 10:30:00+00'), '2026-11-22T10:30:00.000Z')
  assert.equal(momentText('2026-11-22 16:15:00.999999+05:45'), '2026-11-22T10:30:00.999Z')
  assert.equal(momentText('2026-11-22 07:00:00.123456-03:30'), '2026-11-22T10:30:00.123Z')
})
