import { type Level, levels } from '../../message.ts'

/** What things are called in the broker. */
export class Names {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  exchange(name: string): string {
    return `${this.#prefix}${name}`
  }

  /** What an exchange of the broker is called here. */
  exchangeHere(name: string): string {
    return name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : name
  }

  /** The queue of one level. The one that takes normal messages has the subscription's own name, and so goes on when levels are added. */
  queue(subscription: string, level: Level, kept: readonly Level[]): string {
    const main = `${this.#prefix}${subscription}`
    return level === levelOf('normal', kept) ? main : `${main}.${level}`
  }

  /** Where messages of a subscription with several levels are parted by their level. */
  parting(subscription: string): string {
    return `${this.#prefix}${subscription}.levels`
  }

  /** Where those go that say no level: other programs' messages. */
  unparted(subscription: string): string {
    return `${this.#prefix}${subscription}.unlevelled`
  }

  dead(subscription: string): string {
    return `${this.#prefix}${subscription}.dead`
  }

  /** Where the rung of this number waits; its exchange has the same name. */
  rung(number: number): string {
    return `${this.#prefix}tailwater.delay.${String(number).padStart(2, '0')}`
  }

  /** Where what has waited long enough goes on from. */
  get due(): string {
    return `${this.#prefix}tailwater.due`
  }

  /** Holds the record of what was declared. */
  get register(): string {
    return `${this.#prefix}tailwater.topology`
  }

  /** Exists while somebody changes the record. */
  get registerLock(): string {
    return `${this.#prefix}tailwater.topology.lock`
  }

  /** Where requests are cancelled. */
  get cancel(): string {
    return `${this.#prefix}tailwater.cancel`
  }
}

/** The level of those kept apart that a message joins: the nearest lower one, or the lowest. */
export function levelOf(level: Level, kept: readonly Level[]): Level {
  const sorted = levels.filter((one) => kept.includes(one))
  return sorted.find((one) => levels.indexOf(one) >= levels.indexOf(level)) ?? sorted.at(-1)!
}
