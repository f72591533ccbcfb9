import { hasCode, TailwaterError, toError } from '@tailwater/core'

/**
 * One line that tells a person why the program did not start, and the way out.
 *
 * Our own errors say it themselves; errors of the system are put into words here. The stack goes to nobody: it says nothing to whoever can mend the cause.
 */
export function describeStartFailure(thrown: unknown): string {
  const error = toError(thrown)
  const line = error instanceof TailwaterError || 'code' in error ? error.message : `unexpected: ${error.message}`
  return line.split('\n')[0]!.trim()
}

/** Puts what `listen` throws into one of our errors. */
export function listenFailure(thrown: unknown, host: string, port: number): Error {
  const error = toError(thrown)
  if (hasCode(error, 'EADDRINUSE'))
    return new TailwaterError(
      'E_PORT_IN_USE',
      `port ${port} is taken: stop the program that uses it, or choose another with PORT=${port + 1} npm start`,
      { port, cause: error },
    )
  if (hasCode(error, 'EACCES'))
    return new TailwaterError(
      'E_PORT_FORBIDDEN',
      `port ${port} may not be used by this user: choose one above 1023, such as PORT=3000`,
      { port, cause: error },
    )
  if (hasCode(error, 'EADDRNOTAVAIL') || hasCode(error, 'ENOTFOUND'))
    return new TailwaterError(
      'E_PORT_FORBIDDEN',
      `this machine has no address ${host}: correct HOST, for example HOST=127.0.0.1`,
      { host, cause: error },
    )
  return error
}
