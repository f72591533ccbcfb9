// Run by tests as a process of its own: starts a server, says what came of it, and stops when told to.
import { createEmbeddedPostgres, type EmbeddedPostgresOptions } from '@tailwater/postgres/embedded'

const postgres = createEmbeddedPostgres(JSON.parse(process.argv[2]!) as EmbeddedPostgresOptions)
process.on('message', () => {
  void postgres.stop().then(() => process.disconnect())
})
postgres.start().then(
  () => process.send!({ server: postgres.server }),
  ({ code, message }: { code: string; message: string }) => {
    process.send!({ code, message })
    process.disconnect()
  },
)
