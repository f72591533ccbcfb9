import { createHmac } from 'node:crypto'
import type { Clock } from '@tailwater/core'
import { postJson } from '../outside/json_post.ts'
import type { SmsProvider } from './sms_provider.ts'

/** How a provider is reached. */
export interface HttpSmsOptions {
  url: string
  /** Shared with the provider. */
  secret: string
  clock: Clock
  /** Milliseconds. @default 10_000 */
  timeout?: number
}

/**
 * Sends by an HTTP API: `POST url` with `{ to, text, id }`.
 *
 * Signed, so that nobody else can send in our name: `x-signature: t=<seconds>,v1=<hex>` is the HMAC-SHA256 of `<seconds>.<body>` by the shared secret. The time in it
 * lets the provider refuse what was recorded and is sent again, and `idempotency-key` lets it see a repetition of ours.
 */
export function createHttpSmsProvider({ url, secret, clock, timeout = 10_000 }: HttpSmsOptions): SmsProvider {
  return {
    name: 'http',
    async send({ to, text, id }, { signal } = {}) {
      const body = JSON.stringify({ to, text, id })
      const headers = { 'x-signature': signatureOf(body, secret, clock), 'idempotency-key': id }
      await postJson({ url, body, headers, timeout, clock, code: 'E_SMS_UNAVAILABLE', signal })
    },
  }
}

function signatureOf(body: string, secret: string, clock: Clock): string {
  const seconds = Math.floor(clock.now() / 1_000)
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
}
