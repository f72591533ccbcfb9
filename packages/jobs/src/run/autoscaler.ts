import { performance } from 'node:perf_hooks'
import type { Cancel, Clock } from '@tailwater/core'
import type { Lane } from './lane.ts'

/** Milliseconds between two decisions. */
const INTERVAL = 1_000
/** A queue lags when its next job has waited for longer, in milliseconds. */
const LAG = 100
/** Share of time in which the event loop was busy: above it more handlers at once would only wait for each other. */
const BUSY = 0.9
/** Decisions with free places in a row before one is taken away, so that a short calm costs nothing. */
const CALM = 10

/** A lane and its bounds. */
export interface ScaledLane {
  lane: Lane
  min: number
  max: number
}

/**
 * Lets the number of handlers at once follow the load, once a second, between the bounds of each queue.
 *
 * Up by a quarter while the queue lags with all places taken and the event loop has time left; down by a quarter when the loop is busy, and by one after ten
 * calm seconds. Additive-free growth and steady retreat keep it from swinging: a place that was added is seen in the lag within a second.
 */
export class Autoscaler {
  readonly #clock: Clock
  readonly #lanes: readonly (ScaledLane & { calm: number })[]
  readonly #onResize: () => void
  readonly #utilisation: () => number
  #cancel: Cancel = () => {}
  #isRunning = false

  /** @param utilisation share of time since the last call in which the event loop was busy */
  constructor(clock: Clock, lanes: readonly ScaledLane[], onResize: () => void, utilisation = loopUtilisation()) {
    this.#clock = clock
    this.#lanes = lanes.map((lane) => ({ ...lane, calm: 0 }))
    this.#onResize = onResize
    this.#utilisation = utilisation
  }

  /** Sets other bounds; what runs beyond them ends in its own time. */
  bound(queue: string, { min, max }: { min: number; max: number }): void {
    const scaled = this.#lanes.find(({ lane }) => lane.queue === queue)
    if (!scaled || (scaled.min === min && scaled.max === max)) return
    Object.assign(scaled, { min, max, calm: 0 })
    scaled.lane.max = Math.min(max, Math.max(min, scaled.lane.max))
    this.#onResize()
    if (this.#isRunning) this.start()
  }

  start(): void {
    this.#isRunning = true
    this.#cancel()
    if (this.#lanes.every(({ min, max }) => min === max)) return
    this.#cancel = this.#clock.after(INTERVAL, () => {
      this.#decide()
      this.start()
    })
  }

  stop(): void {
    this.#isRunning = false
    this.#cancel()
  }

  #decide(): void {
    const isBusy = this.#utilisation() > BUSY
    for (const scaled of this.#lanes) {
      const { lane, min, max } = scaled
      if (min === max) continue
      const isFull = lane.running >= lane.max
      scaled.calm = isFull ? 0 : scaled.calm + 1
      const step = Math.max(1, Math.floor(lane.max / 4))
      if (isBusy) lane.max = Math.max(min, lane.max - step)
      else if (isFull && lane.lag > LAG) lane.max = Math.min(max, lane.max + step)
      else if (scaled.calm >= CALM) {
        lane.max = Math.max(min, lane.max - 1)
        scaled.calm = 0
      }
    }
    this.#onResize()
  }
}

function loopUtilisation(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}
