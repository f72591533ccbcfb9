import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { it } from 'node:test'
import { startRedis } from '../src/testing/index.ts'

it('a test server keeps its data over a restart when it persists', async () => {
  const server = await startRedis({ persist: true })
  await server.ask('SET a 1')
  await server.restart()
  assert.match(await server.ask('GET a'), /^\$1\r\n1/)
  await server.stop()
})

it('a test server ends when its test is killed', async () => {
  const program = `
    const { startRedis } = await import(${JSON.stringify(new URL('../src/testing/index.ts', import.meta.url).href)})
    const server = await startRedis()
    console.log(server.pid)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--conditions=@tailwater/source', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer]
  const pid = Number(chunk.toString())
  process.kill(pid, 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
      break
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
})
