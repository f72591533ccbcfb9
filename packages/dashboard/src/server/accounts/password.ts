import { randomInt } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { type HttpProblem, problem } from '@tailwater/http'
import { createGate } from './gate.ts'

/**
 * Cost of one hash: 19 MiB, two passes, one lane, about 20 ms. The least that OWASP's Password Storage Cheat Sheet accepts for
 * argon2id; more would let fewer wrong guesses keep the machine's threads busy.
 */
const COST = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** Shortest password accepted: NIST SP 800-63B asks for length, and for nothing else. */
const MIN_LENGTH = 12
/** Longest, in characters; hashing is paid for by the server. */
export const MAX_PASSWORD_LENGTH = 256

/** Crockford's base 32 without the letters that look like digits, in lower case. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Two hashes at once leave two of libuv's four threads to files and name look-ups; sixteen wait at most a fifth of a second. */
const gate = createGate({ running: 2, waiting: 16 })

/** Hashes a password into PHC text. */
export function hashPassword(password: string): Promise<string> {
  return gate(() => hash(password, COST))
}

/**
 * Whether a password belongs to a hash; takes as long when there is no hash, so that the time does not tell which accounts exist.
 *
 * @throws E_LOGIN_BUSY when too many are being checked
 */
export async function isPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const right = await gate(async () => verify(passwordHash ?? (await decoy()), password))
  return passwordHash !== undefined && right
}

/** 20 random characters in groups of five: 100 bits, to be typed once. */
export function oneTimePassword(): string {
  const group = () => Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  return [group(), group(), group(), group()].join('-')
}

/** @throws E_PASSWORD_WEAK when a password is too short, too long, or the address it protects */
export function checkPassword(password: string, email: string, path = '/body/password'): void {
  const refuse = (reason: string) => weakPassword(`The password ${reason}.`, path)
  if ([...password].length < MIN_LENGTH) throw refuse(`must have at least ${MIN_LENGTH} characters`)
  if (password.length > MAX_PASSWORD_LENGTH) throw refuse(`must have at most ${MAX_PASSWORD_LENGTH} characters`)
  if (password.toLowerCase() === email.toLowerCase()) throw refuse('must not be the e-mail address')
}

/** The problem of a password that will not do. */
export function weakPassword(detail: string, path: string): HttpProblem<'E_PASSWORD_WEAK'> {
  return problem(400, 'E_PASSWORD_WEAK', detail, { errors: [{ path, message: detail, code: 'password' }] })
}

let decoyHash: Promise<string> | undefined

/** A hash of nobody's password, made once. */
function decoy(): Promise<string> {
  decoyHash ??= hash(oneTimePassword(), COST)
  return decoyHash
}
