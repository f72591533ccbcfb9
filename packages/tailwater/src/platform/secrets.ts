import { createKeyring, type Keyring, TailwaterError } from '@tailwater/core'
import type { ResolvedConfig } from '../config.ts'
import { keptSecret } from './data_folder.ts'

/** The keyring of a configuration. @throws E_SECRET in production with a server of one's own and no secret */
export function keyringOf(config: ResolvedConfig): Keyring {
  if (config.secret) return createKeyring(typeof config.secret === 'string' ? [config.secret] : config.secret)
  if (config.isEmbedded || config.environment !== 'production') return createKeyring([keptSecret(config.dataDir)])
  throw new TailwaterError(
    'E_SECRET',
    'a secret is needed: set TAILWATER_SECRET to at least 32 random characters (openssl rand -hex 32), the same on every machine',
  )
}
