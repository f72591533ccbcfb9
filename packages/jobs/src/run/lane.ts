/** What one process runs of one queue. */
export class Lane {
  readonly queue: string
  /** Jobs that may run at once. */
  max: number
  running = 0
  /** Nothing is to be claimed, though there is room. */
  isHeld = false
  /** There may be jobs to claim: the last turn gave all that it was asked for, or somebody said so. */
  isExpecting = true
  /** Milliseconds that the job claimed last had waited: how far the queue lags behind. */
  lag = 0

  constructor(queue: string, max: number) {
    this.queue = queue
    this.max = max
  }

  get free(): number {
    return this.isHeld ? 0 : Math.max(0, this.max - this.running)
  }
}

/** The lanes of one runner. */
export class Lanes {
  readonly all: readonly Lane[]
  readonly #byQueue: ReadonlyMap<string, Lane>
  #turn = 0

  constructor(lanes: readonly Lane[]) {
    this.all = lanes
    this.#byQueue = new Map(lanes.map((lane) => [lane.queue, lane]))
  }

  of(queue: string): Lane | undefined {
    return this.#byQueue.get(queue)
  }

  /** Whether a turn for claims alone is worth its while. */
  get areHungry(): boolean {
    for (const lane of this.all) if (lane.isExpecting && lane.free > 0) return true
    return false
  }

  expectAll(): void {
    for (const lane of this.all) lane.isExpecting = true
  }

  /** Claims nothing, or goes on. */
  hold(isHeld: boolean): void {
    for (const lane of this.all) {
      if (lane.isHeld && !isHeld) lane.isExpecting = true
      lane.isHeld = isHeld
    }
  }

  /** What can be claimed now. Another queue stands first each time, so that none is always served last. */
  wants(): { queue: string; count: number }[] {
    const { length } = this.all
    if (length === 1) return this.all[0]!.free > 0 ? [{ queue: this.all[0]!.queue, count: this.all[0]!.free }] : []
    this.#turn++
    const wants = []
    for (let step = 0; step < length; step++) {
      const lane = this.all[(this.#turn + step) % length]!
      if (lane.free > 0) wants.push({ queue: lane.queue, count: lane.free })
    }
    return wants
  }
}
