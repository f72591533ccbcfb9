import assert from 'node:assert/strict'
import { it } from 'node:test'
import { followLogLevel } from '../../src/platform/settings.ts'
import { openPlatform } from './open_platform.ts'

it('log.level changes the log while the process runs, and going back means what was configured', async () => {
  const tw = await openPlatform()
  await tw.start()
  const levels: string[] = []
  const end = followLogLevel(tw.settings, { setLevel: (level) => void levels.push(level) }, 'warn')
  await tw.settings.set('log.level', 'debug', { who: 'ada' })
  await tw.settings.reset('log.level', { who: 'ada' })
  end()
  await tw.settings.set('log.level', 'silent', { who: 'ada' })
  assert.deepEqual(levels, ['warn', 'debug', 'warn'])
})
