import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = fileURLToPath(new URL('./logger_program.ts', import.meta.url))

it('secrets are not written, a level changes at run time, and the last lines are out when the process ends', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@tailwater/source', program])
  assert.doesNotMatch(stdout, /hunter2/)
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; err?: { message: string } })
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['it failed', 'seen'],
  )
  assert.equal(lines[0]?.err?.message, 'WRONGPASS')
})
