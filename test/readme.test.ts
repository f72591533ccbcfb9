import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { testServerUrl } from '@tailwater/postgres/testing'
import { programsOf, runExample } from './readme_examples.ts'

process.env['DATABASE_URL'] = await testServerUrl()
const programs = await programsOf('README.md')

it('the Fastify program runs: a cached read, a job in a transaction, health', async () => {
  const { url, stop } = await runExample('README.md', 'fastify.ts')
  try {
    assert.deepEqual(await (await fetch(`${url}/users/7`)).json(), { id: '7', name: 'User 7' })
    const { jobId } = await (await fetch(`${url}/greetings`, { method: 'POST' })).json()
    assert.match(jobId, /^[0-9a-f-]{36}$/)
    assert.equal((await fetch(`${url}/health/ready`)).status, 200)
  } finally {
    await stop()
  }
})

it('the Express program runs, and its replies carry the id of their request', async () => {
  const { url, stop } = await runExample('README.md', 'express.ts')
  try {
    const response = await fetch(`${url}/hello`)
    assert.deepEqual(await response.json(), { hello: 'world' })
    assert.match(response.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
    assert.equal((await fetch(`${url}/tailwater/api/auth/me`)).status, 401)
  } finally {
    await stop()
  }
})

it('the page and its programs are as short as they claim', () => {
  const lines = (text: string) => text.split('\n').filter((line) => line.trim() !== '').length
  assert.ok(readFileSync(new URL('../README.md', import.meta.url), 'utf8').split('\n').length < 150)
  assert.ok(
    lines(programs.get('fastify.ts')!) <= 20,
    `the Fastify program has ${lines(programs.get('fastify.ts')!)} lines`,
  )
  assert.ok(
    lines(programs.get('express.ts')!) <= 10,
    `the Express program has ${lines(programs.get('express.ts')!)} lines`,
  )
})
