/** Jobs for which a second turn is taken beside one that is under way: fewer gain less than the turn costs. */
export const WORTH_A_TURN = 16

/** Jobs that one turn wants of a queue. */
export interface Want {
  queue: string
  count: number
}

/** What one process runs of one queue. */
export class Lane {
  readonly queue: string
  /** Jobs that may run at once. */
  max: number
  running = 0
  /** Nothing is to be claimed, though there is room. */
  isHeld = false
  /** Places that the turns under way want to fill. */
  asked = 0
  /** There may be jobs to claim: the last turn gave all that it was asked for, or somebody said so. */
  isExpecting = true
  /** The last turn filled all its places: there is a stream of jobs, and not only one now and then. */
  isFlowing = false
  /** Handlers take many jobs at once, which are to be claimed together. */
  isWhole = false
  /** Milliseconds that the job claimed last had waited: how far the queue lags behind. */
  lag = 0

  constructor(queue: string, max: number) {
    this.queue = queue
    this.max = max
  }

  /** Its jobs may be claimed in two turns at a time. */
  get isStream(): boolean {
    return this.isFlowing && !this.isWhole
  }

  get free(): number {
    return this.isHeld ? 0 : Math.max(0, this.max - this.running - this.asked)
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

  /**
   * What can be claimed now. Another queue stands first each time, so that none is always served last.
   *
   * @param leavesHalf of a queue whose jobs come in a stream half is left to the next turn, so that handlers run while the store is at work
   */
  wants(leavesHalf: boolean): Want[] {
    const { length } = this.all
    this.#turn++
    const wants: Want[] = []
    for (let step = 0; step < length; step++) {
      const lane = this.all[(this.#turn + step) % length]!
      const { free } = lane
      const count = leavesHalf && lane.isStream && free >= WORTH_A_TURN ? Math.ceil(free / 2) : free
      if (count <= 0) continue
      lane.asked += count
      wants.push({ queue: lane.queue, count })
    }
    return wants
  }

  /** A turn that wanted something is over. */
  asked(wants: readonly Want[]): void {
    for (const { queue, count } of wants) this.of(queue)!.asked -= count
  }

  /** Whether a stream of jobs has so many free places that a second turn is worth its while. */
  get areWide(): boolean {
    for (const lane of this.all) if (lane.isExpecting && lane.isStream && lane.free >= WORTH_A_TURN) return true
    return false
  }
}
