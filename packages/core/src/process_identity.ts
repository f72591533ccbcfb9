import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/**
 * Who this process is, in leases, locks and logs: `host:pid:nonce`.
 *
 * The nonce tells a process from a later one that was given the same pid.
 */
export const processIdentity: string = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
