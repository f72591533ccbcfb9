// The simulated marketplaces in a process of their own: told by its parent what to simulate, and gone with it.
import { systemClock, toError } from '@tailwater/core'
import { createSimulator, type SimulatorOptions } from './simulator.ts'

process.once('message', (options: Omit<SimulatorOptions, 'clock'>) => {
  const simulator = createSimulator({ ...options, clock: systemClock })
  process.once('disconnect', () => {
    simulator.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
  simulator.start().then(
    () => process.send!({ url: simulator.url }),
    (error: unknown) => {
      process.send!({ error: toError(error).message })
      process.disconnect()
    },
  )
})

// Ctrl-C reaches the whole group: the parent decides when this ends, because it may still have something to say to the marketplaces.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
