import { createHmac } from 'node:crypto'

/**
 * The API key of a generated merchant: the same for the same secret, and not to be guessed without it, so that
 * sample data opens no door even where its host is reachable. Has the form that the API accepts.
 *
 * @param secret a key derived from `TAILWATER_SECRET` for this purpose alone
 */
export function sampleApiKey(secret: Uint8Array, slug: string): string {
  return `tw_live_${createHmac('sha256', secret).update(slug).digest('base64url')}`
}
