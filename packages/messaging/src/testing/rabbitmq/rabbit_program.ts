import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { requireProgram } from '@tailwater/core/testing'

/** Where Debian keeps RabbitMQ's own scripts: those on the PATH insist on a user of their own, and that has no business here. */
const DEBIAN = '/usr/lib/rabbitmq/lib'

/** The script that starts a node in the foreground. @throws Error which says what to install */
export function rabbitServer(): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : []
  const own = versions
    .map((version) => join(DEBIAN, version, 'sbin', 'rabbitmq-server'))
    .find((path) => existsSync(path))
  return own ?? requireProgram('rabbitmq-server', { debianPackage: 'rabbitmq-server' })
}

/** Erlang's name server, which each ground of tests has to itself. */
export function epmd(): string {
  return requireProgram('epmd', { debianPackage: 'erlang-base' })
}
