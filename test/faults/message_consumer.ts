// A consumer that dies: handles messages of a subscription and notes each in a file of its own before it settles it.
import { appendFileSync } from 'node:fs'
import { type MessageCarrier, openMessageCarrier } from './message_carrier.ts'

const [carrier, subscription, file] = process.argv.slice(2) as [string, string, string]
const { backend } = await openMessageCarrier(JSON.parse(carrier) as MessageCarrier)

async function consume(): Promise<void> {
  for (;;) {
    try {
      await backend.consume.consume(subscription, { prefetch: 50 }, (delivery) => {
        appendFileSync(file, `${delivery.message.id}\n`)
        // Refused when it was taken back: then it comes again, which is what is counted.
        delivery.settle({ type: 'done' }).catch(() => {})
      })
      return
    } catch {
      // What carries messages is being killed at this moment.
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

await consume()
process.send?.('ready')
// Ends with the test, however that ends.
process.on('disconnect', () => process.exit(0))
