import { createHash } from 'node:crypto'
import {
  type Clock,
  type Duration,
  type Keyring,
  newId,
  parseDuration,
  systemClock,
  TailwaterError,
} from '@tailwater/core'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'

/** What a token is issued for. */
export interface TokenRequest {
  /** Whom it stands for. */
  subject: string
  /** For which part of the application it is good. */
  audience: string
  ttl: Duration
  /** Further claims; registered names (`sub`, `exp`, …) are refused. */
  claims?: Readonly<Record<string, unknown>>
}

/** A token just issued. */
export interface IssuedToken {
  token: string
  /** Unique, to revoke it by (`jti`). */
  id: string
  /** Milliseconds since the Unix epoch. */
  expiresAt: number
}

/** A verified token's content. */
export interface TokenClaims {
  id: string
  subject: string
  audience: string
  /** Milliseconds since the Unix epoch. */
  issuedAt: number
  /** Milliseconds since the Unix epoch. */
  expiresAt: number
  /** The claims it was issued with. */
  claims: Readonly<Record<string, unknown>>
}

/** Issues and verifies tokens that need no look-up. */
export interface Tokens {
  issue(request: TokenRequest): Promise<IssuedToken>
  /** @throws E_TOKEN_INVALID, E_TOKEN_EXPIRED */
  verify(token: string, expected: { audience: string }): Promise<TokenClaims>
}

/** What tokens are signed with, and in whose name. */
export interface TokensOptions {
  keyring: Keyring
  /** Named in every token and asked for in every verification. */
  issuer: string
  clock?: Clock
}

const PURPOSE = 'token'
const ALGORITHM = 'HS256'
/** Longest token looked at; ours are a few hundred characters. */
const MAX_LENGTH = 8_192
const REGISTERED = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']

/**
 * Makes signed tokens: JWT (RFC 7519) with HS256, the key derived from the keyring and named by `kid`, so that
 * tokens signed before a rotation stay good until they expire. Any other algorithm, `none` above all, is refused.
 */
export function createTokens({ keyring, issuer, clock = systemClock }: TokensOptions): Tokens {
  const byId = new Map(keyring.keys(PURPOSE).map((key) => [keyId(key), key]))
  const [currentId, currentKey] = byId.entries().next().value!

  return {
    async issue({ subject, audience, ttl, claims = {} }) {
      refuseRegistered(claims)
      const id = newId()
      const issuedAt = Math.floor(clock.now() / 1_000)
      const expires = issuedAt + Math.ceil(parseDuration(ttl, 'ttl') / 1_000)
      const token = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid: currentId })
        .setIssuer(issuer)
        .setSubject(subject)
        .setAudience(audience)
        .setJti(id)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expires)
        .sign(currentKey)
      return { token, id, expiresAt: expires * 1_000 }
    },

    async verify(token, { audience }) {
      const key = keyOf(token, byId)
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          issuer,
          audience,
          currentDate: new Date(clock.now()),
          requiredClaims: ['sub', 'exp', 'iat', 'jti'],
        })
        return claimsOf(payload, audience)
      } catch (cause) {
        if (cause instanceof errors.JWTExpired)
          throw new TailwaterError('E_TOKEN_EXPIRED', 'the token has expired', { cause })
        throw invalid(cause)
      }
    },
  }
}

function keyOf(token: string, keys: ReadonlyMap<string, Uint8Array>): Uint8Array {
  if (token.length > MAX_LENGTH) throw invalid()
  let kid: string | undefined
  try {
    kid = decodeProtectedHeader(token).kid
  } catch (cause) {
    throw invalid(cause)
  }
  const key = keys.get(kid ?? '')
  if (!key) throw invalid()
  return key
}

function claimsOf(payload: JWTPayload, audience: string): TokenClaims {
  const { iss: _iss, aud: _aud, nbf: _nbf, sub, exp, iat, jti, ...claims } = payload
  return { id: jti!, subject: sub!, audience, issuedAt: iat! * 1_000, expiresAt: exp! * 1_000, claims }
}

/** Names a key without telling anything of it. */
function keyId(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 12)
}

/** One message for every fault: what exactly is wrong with a forged token is nobody's business. */
function invalid(cause?: unknown): TailwaterError<'E_TOKEN_INVALID'> {
  return new TailwaterError('E_TOKEN_INVALID', 'the token is not valid', cause === undefined ? {} : { cause })
}

function refuseRegistered(claims: Readonly<Record<string, unknown>>): void {
  for (const name of REGISTERED)
    if (name in claims)
      throw new TailwaterError('E_OPTIONS', `claims.${name} is set by the issuer`, { path: `claims.${name}` })
}
