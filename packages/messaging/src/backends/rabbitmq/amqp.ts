import type { Channel, ChannelModel, ConfirmChannel, SocketOptions } from 'amqplib'
import { messagingError } from '../../errors.ts'
import type { AmqpAddress } from './address.ts'
import { gatherWrites } from './gathered_writes.ts'
import type { RabbitMqCredentials, ResolvedRabbitMqOptions } from './options.ts'

export type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib'

/** Loads amqplib, which is an optional peer. @throws E_PACKAGE_MISSING */
async function loadAmqplib() {
  try {
    return await import('amqplib')
  } catch (cause) {
    throw messagingError('E_PACKAGE_MISSING', "RabbitMQ needs the package 'amqplib': npm install amqplib@2", {
      package: 'amqplib',
      cause,
    })
  }
}

/** The credentials for a new connection: those that are given, or those of the URL. */
async function currentCredentials(options: ResolvedRabbitMqOptions): Promise<RabbitMqCredentials> {
  const { credentials } = options
  return typeof credentials === 'function' ? credentials() : credentials
}

/** Opens one connection. Errors of it are only ever read from its `close` event: an `error` event comes before that. */
export async function openConnection(
  options: ResolvedRabbitMqOptions,
  { protocol, hostname, port, vhost }: AmqpAddress,
  purpose: string,
): Promise<ChannelModel> {
  const [{ connect }, { username, password }] = await Promise.all([loadAmqplib(), currentCredentials(options)])
  const connection = await connect(
    { protocol, hostname, port, username, password, vhost, heartbeat: options.heartbeat / 1_000, frameMax: 131_072 },
    {
      ...options.tls,
      noDelay: true,
      timeout: options.connectTimeout,
      clientProperties: { connection_name: `${options.name}:${purpose}` },
    } as SocketOptions,
  )
  connection.on('error', () => {})
  gatherWrites(connection)
  return connection
}

/** Opens a channel whose end is told by its `close` event alone; `reason` is why the server closed it. */
export async function openChannel(connection: ChannelModel): Promise<Channel & { reason?: Error }> {
  return listening(await connection.createChannel())
}

/** As `openChannel`, with the broker's confirmation of what is published. */
export async function openConfirmChannel(connection: ChannelModel): Promise<ConfirmChannel & { reason?: Error }> {
  return listening(await connection.createConfirmChannel({ highWaterMark: 4_096 }))
}

function listening<C extends Channel>(channel: C): C & { reason?: Error } {
  const named: C & { reason?: Error } = channel
  named.on('error', (error) => {
    named.reason = error
  })
  return named
}

/** Closes a channel or a connection that may be closed already, or is lost while it closes: then amqplib's own promise never settles. */
export async function closeQuietly(what: Channel | ChannelModel | undefined): Promise<void> {
  if (!what) return
  await new Promise<void>((resolve) => {
    what.once('close', () => resolve())
    // A failure means that it was gone before.
    Promise.resolve()
      .then(() => what.close())
      .then(resolve, () => resolve())
  })
}

/** What the broker says with an error: 404 for what is not there, 406 for what is there otherwise. */
export function replyCode(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'number' ? code : undefined
}
